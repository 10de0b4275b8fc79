"""A `clerk` in a process of its own: its lines are waited for, with a limit, and it is always ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from time import monotonic

import pytest

LIMIT = 90.0
"""Seconds after which a line that should have come never will; this machine is shared."""
ROOT = Path(__file__).parents[2]


class Clerk:
    """A running `clerk`. `lines` is what was read of what it prints, `errors` its standard error; `place` is
    for whoever wants to keep its URL."""

    def __init__(self, arguments: list[str], folder: Path, variables: Mapping[str, str]) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("CLERK_")}
        environment = {**kept, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", **variables}
        self.lines: list[str] = []
        self.place = ""
        self.errors = ""
        self._new: Queue[str | None] = Queue()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "clerk_cli", *arguments],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._readers = [Thread(target=self._read_lines), Thread(target=self._read_errors)]
        for reader in self._readers:
            reader.start()

    def _read_lines(self) -> None:
        for line in self._process.stdout or ():
            self._new.put(line.rstrip("\n"))
        self._new.put(None)

    def _read_errors(self) -> None:
        for line in self._process.stderr or ():
            self.errors += line

    def line(self, start: str) -> str:
        """The next line that begins so."""
        until = monotonic() + LIMIT
        while True:
            try:
                line = self._new.get(timeout=max(0.0, until - monotonic()))
            except Empty:
                pytest.fail(f"no line {start!r} within {LIMIT:g} s; there were {self.lines}, and {self.errors!r}")
            if line is None:
                pytest.fail(f"it ended without a line {start!r}; there were {self.lines}, and {self.errors!r}")
            self.lines.append(line)
            if line.startswith(start):
                return line

    @property
    def url(self) -> str:
        """Where it listens; waits until it is ready."""
        return self.line("ready ").removeprefix("ready ")

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def ended(self, within: float = LIMIT) -> int:
        """Its exit code, waited for."""
        try:
            code = self._process.wait(within)
        except subprocess.TimeoutExpired:
            pytest.fail(f"still running after {within:g} s; it printed {self.lines}, and {self.errors!r}")
        self._close()
        return code

    def _close(self) -> None:
        for reader in self._readers:
            reader.join()
        while not self._new.empty():
            line = self._new.get()
            self.lines += [] if line is None else [line]
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe:
                pipe.close()

    def kill(self) -> None:
        """Whatever it does: it ends now."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
            self._close()


@contextmanager
def clerk(*arguments: str, folder: Path, **variables: str) -> Iterator[Clerk]:
    """A `clerk` with these arguments, started in `folder`; of CLERK_* variables it has only those given."""
    running = Clerk([*map(str, arguments)], folder, variables)
    try:
        yield running
    finally:
        running.kill()
