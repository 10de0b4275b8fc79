"""What is installed is what the locks name, checked by hash, from whatever index the machine has (security S19)."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LOCKS = ("requirements.lock", "requirements-dev.lock")
OF_CLIENTS = ROOT / "tests_clients"


@pytest.mark.parametrize("lock", [*LOCKS, "tests_clients/requirements.lock"])
def test_S19_every_dependency_is_pinned_with_hashes_and_names_no_index(lock: str) -> None:
    text = (ROOT / lock).read_text()
    entries = re.findall(r"^(\S+)((?: \\\n    --hash=sha256:[0-9a-f]{64})*)", text, re.MULTILINE)
    named = [(name, hashes) for name, hashes in entries if not name.startswith(("#", "-"))]
    assert len(named) > 20
    assert [name for name, hashes in named if not re.fullmatch(r"[\w.\[\]-]+==\S+", name) or not hashes] == []
    assert "://" not in "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))


def test_S19_what_the_product_needs_is_in_both_locks() -> None:
    run, dev = (set(re.findall(r"^([\w.\[\]-]+==\S+)", (ROOT / lock).read_text(), re.MULTILINE)) for lock in LOCKS)
    assert run
    assert run <= dev


def test_S19_every_npm_tool_is_pinned_with_its_hash_and_names_no_registry() -> None:
    wanted = json.loads((OF_CLIENTS / "package.json").read_text())["devDependencies"]
    assert [version for version in wanted.values() if not re.fullmatch(r"[0-9.]+", version)] == []
    packages = json.loads((OF_CLIENTS / "package-lock.json").read_text())["packages"]
    kept = {name: package for name, package in packages.items() if name}
    assert len(kept) > 100
    assert [name for name, package in kept.items() if "integrity" not in package or "resolved" in package] == []
