"""Runs a `clerk` command in a process of its own, waits for lines of its output with a limit, and always ends it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from time import monotonic

import pytest

PASSWORD = "3f9c1b77e0a84d52"
NOWHERE = f"amqp://clerk:{PASSWORD}@127.0.0.1:1/"
"""The URL of a broker that is not there."""
KEYS_ELSEWHERE = {"CLERK_SHOP_MANAGER_URL": "http://127.0.0.1:1"}
"""Where a service asks whether a key is good: nobody is there."""
LIMIT = 90.0
"""Seconds after which an awaited line counts as missing; test machines are shared and slow."""
ROOT = Path(__file__).parents[2]


class ClerkProcess:
    """A running `clerk` command. `lines`: those of its output that were read; `errors`: its standard error."""

    def __init__(self, arguments: list[str], folder: Path, variables: Mapping[str, str]) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("CLERK_")}
        environment = {**kept, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", **variables}
        self.lines: list[str] = []
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
        """The next line that begins with `start`; waits for it."""
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

    def wait_for_error(self, words: str) -> None:
        """Returns when they are in its standard error."""
        until = monotonic() + LIMIT
        while words not in self.errors:
            self._readers[1].join(0.02)
            if monotonic() > until or not self._readers[1].is_alive():
                pytest.fail(f"no {words!r} within {LIMIT:g} s; there was {self.errors!r}")

    @cached_property
    def url(self) -> str:
        """The URL at which it listens; the first time, waits for its line `ready URL`."""
        return self.line("ready ").removeprefix("ready ")

    @property
    def pid(self) -> int:
        return self._process.pid

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
        """End it at once, if it is still running."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
            self._close()


@contextmanager
def clerk(*arguments: str, folder: Path, **variables: str) -> Iterator[ClerkProcess]:
    """A `clerk` with these arguments, started in `folder`; of CLERK_* variables it has only those given."""
    running = ClerkProcess([*map(str, arguments)], folder, variables)
    try:
        yield running
    finally:
        running.kill()
