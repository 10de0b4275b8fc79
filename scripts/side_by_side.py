"""Runs commands for several stages side by side: each line is told with its stage, and what failed is told again."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENDING_LIMIT = 60.0
"""Seconds in which a command may clean up when we are told to end."""
TESTS_FAILED = 1
"""What pytest ends with when it came to its end and some tests had failed."""
PYTEST = (sys.executable, "-m", "pytest", "-q")
_FAILED = re.compile(r"(?:FAILED|ERROR) \S+::.*")
"""As pytest sums up, one line a test."""


class Terminal:
    """What all stages write on, and the children that they have running."""

    def __init__(self) -> None:
        self.side_by_side = False
        """Say beside each line whose it is."""
        self._lock = threading.Lock()
        self._children: set[subprocess.Popen[str]] = set()
        self._ending: signal.Signals | None = None

    def write(self, stage: str, line: str) -> None:
        with self._lock:
            sys.stdout.write(f"{stage:<10}| {line}\n" if self.side_by_side and stage else f"{line}\n")
            sys.stdout.flush()

    def start(self, command: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[str] | None:
        """None once we were told to end."""
        with self._lock:
            if self._ending is not None:
                return None
            child = subprocess.Popen(  # noqa: S603  our own command, no shell
                command,
                cwd=ROOT,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
            )
            self._children.add(child)
            return child

    def over(self, child: subprocess.Popen[str]) -> None:
        with self._lock:
            self._children.discard(child)

    def end_all(self, number: signal.Signals, *, told: bool) -> None:
        """Start no more; send the signal to all, unless they were told, and wait: they have servers to stop."""
        with self._lock:
            self._ending = number
            children = list(self._children)
        for child in children:
            if not told:
                child.send_signal(number)
        for child in children:
            try:
                child.wait(ENDING_LIMIT)
            except subprocess.TimeoutExpired:
                child.kill()


class Stage:
    """A stage at work: it says lines, runs commands, and knows which tests have failed."""

    def __init__(self, name: str, terminal: Terminal) -> None:
        self.name = name
        self.failed: list[str] = []
        self.passed_alone: list[str] = []
        """What failed beside other stages, and passed when it was played again."""
        self._terminal = terminal
        self._alone: tuple[Sequence[str], Mapping[str, str]] | None = None

    def say(self, line: str) -> None:
        self._terminal.write(self.name, line)

    def tests(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str] | None = None,
        *,
        side_by_side: Sequence[str] = (),
        alone: Sequence[str] = (),
    ) -> int:
        """Let pytest play them; returns its exit code. It remembers which failed.

        `side_by_side` are further arguments for several workers; without them the command begins with `alone`.
        """
        remembers = ("-o", f"cache_dir={ROOT / '.pytest_cache' / self.name}")
        command = [*PYTEST, *remembers, *arguments]
        self._alone = ([*alone, *command], environment or {})
        return self.run([*command, *side_by_side] if side_by_side else self._alone[0], environment)

    def failed_tests_again(self) -> int:
        """Let pytest play what has failed, one test after the other; returns its exit code."""
        assert self._alone is not None, "no tests were played"
        before, self.failed = self.failed, []
        self.say(f"--- {self.name}: again, alone")
        for line in before:
            self.say(line)
        command, environment = self._alone
        code = self.run([*command, "--last-failed", "--last-failed-no-failures", "none"], environment)
        names = {_name_of(line) for line in self.failed}
        self.passed_alone = [line for line in before if _name_of(line) not in names]
        return code

    def run(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> int:
        """Run the command, its environment being ours with these changes; returns its exit code."""
        child = self._terminal.start(command, _compiling_once(os.environ) | dict(environment or {}))
        if child is None:
            return 128 + signal.SIGINT
        with child:
            for line in child.stdout or ():
                self.say(line.rstrip("\n"))
                if _FAILED.match(line):
                    self.failed.append(line.rstrip("\n"))
        self._terminal.over(child)
        return child.returncode


def _name_of(failed: str) -> str:
    """Of a line of pytest's summary, without the reason, which may be another one the second time."""
    return failed.split(maxsplit=1)[1].split(" - ", maxsplit=1)[0]


def _compiling_once(environment: Mapping[str, str]) -> dict[str, str]:
    """Hundreds of processes are started: each would compile everything again where compiled files are not kept."""
    return {name: value for name, value in environment.items() if name != "PYTHONDONTWRITEBYTECODE"}
