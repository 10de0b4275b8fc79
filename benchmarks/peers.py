"""Peers that are no dependency of ours: installed into environments of their own, when they are asked for."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.progress import say

FOLDER = Path(__file__).parent.parent / ".cache" / "bench"
RESTATE = "@restatedev/restate-server"


@dataclass(frozen=True, slots=True)
class Peer:
    """What to install for it: packages for Python, and one of npm that brings a server."""

    name: str
    packages: Sequence[str]
    server: str = ""

    def installed(self) -> tuple[str, dict[str, str]]:
        """Its Python and what its environment needs; RuntimeError when it cannot be installed."""
        environment = FOLDER / self.name
        python = environment / "bin" / "python"
        if not (environment / "complete").exists():
            say(f"installing {self.name}: {', '.join(self.packages)}")
            _run([sys.executable, "-m", "venv", "--clear", str(environment)])
            _run([str(python), "-m", "pip", "install", "--quiet", *self.packages])
            if self.server:
                if shutil.which("npm") is None:
                    raise RuntimeError(f"{self.name} needs npm, which is not installed")
                options = ["--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(environment)]
                _run(["npm", "install", *options, self.server])
            (environment / "complete").touch()
        # The command of npm starts it as a child, which would outlive it.
        found = sorted(environment.glob(f"node_modules/{self.server}-*/bin/*")) if self.server else []
        return str(python), {"BENCH_RESTATE_SERVER": str(found[0])} if found else {}


def _run(command: Sequence[str]) -> None:
    environment = {**os.environ, "SCARF_ANALYTICS": "false"}
    done = subprocess.run(  # noqa: S603  # our own command line
        list(command), env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]} {command[1]}: {(done.stderr or done.stdout).strip()[-500:]}")


DBOS = Peer("dbos", ["dbos", "psycopg2-binary"])
CELERY = Peer("celery", ["celery", "psycopg2-binary"])
RESTATE_PEER = Peer("restate", ["restate-sdk", "hypercorn", "psycopg2-binary"], RESTATE)
