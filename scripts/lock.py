"""Writes requirements.lock (to run) and requirements-dev.lock (to work on it) from pyproject.toml, with pip-compile;
and tests_clients/requirements.lock, for the generator of Python clients, whose dependencies are not those of ours.

The hashes are those of all files that the public registry has of a version: local wheels and mirrors of this machine
are left out on purpose, and no registry's address is written into the locks.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOL = ROOT / ".cache" / "lock"
"""A virtual environment for pip-compile alone, so that pip-compile does not get into the locks."""
_NO_ADDRESSES = ("--no-emit-index-url", "--no-emit-find-links", "--no-emit-trusted-host")
COMPILE = ("-m", "piptools", "compile", "--quiet", "--strip-extras", "--generate-hashes", *_NO_ADDRESSES)
CLIENTS = "tests_clients/requirements"
_LOCAL = ("PIP_FIND_LINKS", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_NO_INDEX", "PIP_CONFIG_FILE")


def main(arguments: list[str]) -> None:
    python = TOOL / "bin" / "python"
    environment = {name: value for name, value in os.environ.items() if name not in _LOCAL}
    environment |= {"PIP_CONFIG_FILE": os.devnull, "CUSTOM_COMPILE_COMMAND": "make lock"}
    if not python.exists():
        _run([sys.executable, "-m", "venv", TOOL], environment)
        _run([python, "-m", "pip", "install", "--quiet", "pip-tools"], environment)
    ours = (*COMPILE, "pyproject.toml")
    _run([python, *ours, *arguments, "--output-file", "requirements.lock"], environment)
    # Packages in both locks have the same version in both.
    dev = ("--extra", "dev", "--constraint", "requirements.lock", "--output-file", "requirements-dev.lock")
    _run([python, *ours, *arguments, *dev], environment)
    _run([python, *COMPILE, f"{CLIENTS}.in", *arguments, "--output-file", f"{CLIENTS}.lock"], environment)


def _run(command: list[str | Path], environment: dict[str, str]) -> None:
    done = subprocess.run(command, cwd=ROOT, env=environment, check=False)  # noqa: S603  our own command, no shell
    if done.returncode:
        sys.exit(f"failed: {' '.join(map(str, command[1:4]))}")


if __name__ == "__main__":
    main(sys.argv[1:])
