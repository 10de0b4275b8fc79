"""The generators and linters: installed once into `.cache/clients`, exactly what the two locks name.

Which registries they come from is for npm's and pip's own configuration to say.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
CACHE = HERE.parent / ".cache" / "clients"
PROGRAMS = ("node", "npm")
QUIET = {
    "REDOCLY_TELEMETRY": "off",
    "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true",
    "SCARF_ANALYTICS": "false",
    "NO_COLOR": "1",
}
"""None of the tools calls home."""
LIMIT = 300.0
"""Seconds for one call of a tool, an installation over a slow network among them."""


def missing() -> str | None:
    """Which programs this machine lacks, in words; None when none."""
    lacking = [program for program in PROGRAMS if shutil.which(program) is None]
    return f"{' and '.join(lacking)} not installed" if lacking else None


def run(command: Sequence[str | Path], folder: Path, **environment: str) -> str:
    """What the command printed; AssertionError with it when it failed."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env=os.environ | QUIET | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(map(str, command))}: exit code {done.returncode}\n{done.stdout}"
    return done.stdout


def node_tools() -> Path:
    """The folder with the npm tools; its `node_modules/.bin` has the programs."""
    locks = [HERE / "package.json", HERE / "package-lock.json"]

    def install(folder: Path) -> None:
        for lock in locks:
            shutil.copy(lock, folder)
        run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], folder)

    return _installed("node", {lock.name: lock for lock in locks}, install)


def python_tools() -> Path:
    """The folder with a virtual environment of its own: the generator's dependencies are not those of the product."""
    lock = HERE / "requirements.lock"

    def install(folder: Path) -> None:
        run([sys.executable, "-m", "venv", folder], folder)
        pip: list[str | Path] = [
            folder / "bin" / "python",
            "-m",
            "pip",
            "--disable-pip-version-check",
            "install",
            "--quiet",
        ]
        run([*pip, "--require-hashes", "-r", lock], folder)

    return _installed("python", {lock.name: lock}, install)


def _installed(name: str, locks: Mapping[str, Path], install: Callable[[Path], None]) -> Path:
    """The folder of that name, made anew when a lock has changed.

    The stamp comes last: an installation that was cut off is repeated.
    """
    folder = CACHE / name
    stamp = folder / "locks.sha256"
    wanted = hashlib.sha256(b"".join(lock.read_bytes() for lock in locks.values())).hexdigest()
    if not stamp.exists() or stamp.read_text() != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        install(folder)
        stamp.write_text(wanted)
    return folder
