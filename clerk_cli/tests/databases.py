"""A shop's databases without its processes, and what a command prints as JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest

from clerk_cli.main import run


def made(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> Any:
    """The JSON that the command prints; it must end with this exit code."""
    assert run([*arguments, "--json"]) == code
    return json.loads(capsys.readouterr().out)
