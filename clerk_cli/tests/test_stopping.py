"""A process stops on SIGINT and SIGTERM, also while it starts; one that was only paused goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Timer

import pytest

LIMIT = 30.0
WITHIN = 0.05
PROGRAM = f"""
from clerk_cli.stopping import asked_to_stop, hold_signals

hold_signals()
while not asked_to_stop(within={WITHIN}):
    print("runs", flush=True)
print("stops", flush=True)
"""


@contextmanager
def running(program: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", program], cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True
    )
    end = Timer(LIMIT, process.kill)
    end.start()
    with process:
        try:
            yield process
        finally:
            end.cancel()
            process.kill()


@contextmanager
def looking() -> Iterator[subprocess.Popen[str]]:
    """A process that looks again and again, and says what it saw; it has begun."""
    with running(PROGRAM) as process:
        assert next_line(process) == "runs"
        yield process


def next_line(process: subprocess.Popen[str]) -> str:
    """Its next line; empty when it has ended."""
    assert process.stdout is not None
    return process.stdout.readline().rstrip("\n")


def pause(process: subprocess.Popen[str], seconds: float) -> None:
    process.send_signal(signal.SIGSTOP)
    os.waitpid(process.pid, os.WUNTRACED)
    Event().wait(seconds)  # how long it stands still is what is tested
    process.send_signal(signal.SIGCONT)


def test_who_was_paused_for_longer_than_a_look_takes_goes_on() -> None:
    with looking() as process:
        pause(process, 4 * WITHIN)
        assert [next_line(process) for _ in range(5)] == ["runs"] * 5


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_who_is_asked_while_paused_stops_afterwards(number: signal.Signals) -> None:
    with looking() as process:
        process.send_signal(signal.SIGSTOP)
        os.waitpid(process.pid, os.WUNTRACED)
        process.send_signal(number)
        process.send_signal(signal.SIGCONT)
        while (line := next_line(process)) == "runs":
            pass
        assert line == "stops"
        assert process.wait(LIMIT) == 0


def test_who_never_looks_because_it_is_still_starting_leaves_in_time_all_the_same() -> None:
    busy = """
from threading import Event
from clerk_cli import stopping

stopping.LIMIT = 0.2
stopping.hold_signals()
print("starts", flush=True)
Event().wait()
"""
    with running(busy) as process:
        assert next_line(process) == "starts"
        process.send_signal(signal.SIGTERM)
        assert process.wait(LIMIT) == 0
