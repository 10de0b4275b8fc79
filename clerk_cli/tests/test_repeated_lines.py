"""Trouble that repeats itself is one log line, then one a minute with the count (security S4)."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

import pytest
import structlog

from clerk_cli import logs
from clerk_cli.repeated_lines import DIFFERENT, EVERY, KINDS, OTHERS, Kind, RepeatedLines


class Log:
    """The filter with a clock that a test puts forward, and what it told of counts."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.told: list[tuple[Kind, int]] = []
        self.lines = RepeatedLines(lambda kind, count: self.told.append((kind, count)), clock=lambda: self.now)

    def passes(self, said: Mapping[str, Any] | str, level: int = logging.WARNING, *values: object) -> bool:
        return self.lines.filter(logging.LogRecord("shop", level, "", 0, said, values, None))

    def later(self, seconds: float = EVERY) -> list[tuple[str, int]]:
        """What is told of counts after so many seconds: event, count."""
        self.now += seconds
        self.told.clear()
        self.lines.tell_counts()
        return [(event, count) for (_, _, event), count in self.told]


@pytest.fixture
def log() -> Log:
    return Log()


def test_S4_the_first_line_passes_and_those_like_it_are_counted_once_a_minute(log: Log) -> None:
    said = {"event": "connections_full", "address": "192.0.2.1"}
    assert log.passes(said | {"request_id": "1", "timestamp": "2026"})
    assert not any(log.passes(said | {"request_id": str(number), "timestamp": "2027"}) for number in range(500))
    assert log.later(EVERY - 1) == []
    assert log.later(1) == [("connections_full", 500)]
    assert not log.passes(said)
    assert log.later() == [("connections_full", 1)]
    assert log.later() == []
    assert log.passes(said), "after a minute without it, it is news again"


def test_S4_lines_of_one_kind_that_differ_pass_up_to_a_number(log: Log) -> None:
    passed = [log.passes({"event": "message_parked", "message": str(number)}) for number in range(DIFFERENT + 5)]
    assert passed == [True] * DIFFERENT + [False] * 5
    assert log.passes({"event": "something else"})
    assert log.later() == [("message_parked", 5)]


def test_a_librarys_lines_are_known_by_their_text_and_values(log: Log) -> None:
    assert log.passes("cannot accept\nsocket 7", logging.ERROR)
    assert not log.passes("cannot accept\nsocket 8", logging.ERROR)
    assert log.passes("cannot accept\nsocket 8", logging.ERROR, "another value")
    assert log.later() == [("cannot accept", 1)]


def test_what_is_no_trouble_is_never_counted(log: Log) -> None:
    assert all(log.passes({"event": "ready"}, logging.INFO) for _ in range(50))


def test_S4_kinds_without_end_do_not_fill_the_memory(log: Log) -> None:
    assert all(log.passes(f"kind {number}") for number in range(KINDS))
    passed = [log.passes(f"kind {KINDS + number}") for number in range(DIFFERENT + 5)]
    assert passed == [True] * DIFFERENT + [False] * 5
    assert log.later() == [(OTHERS[2], 5)]


def test_S4_the_count_is_a_line_of_the_same_event(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(as_json=True, level=logging.INFO, service="risk")
    for number in range(3):
        structlog.get_logger("shop").warning("service_not_reached", reached_for="risk", request_id=str(number))
    for _ in range(3):
        logging.getLogger("asyncio").error("socket.accept() out of system resource")
    logs.tell_count(("shop", logging.WARNING, "service_not_reached"), 2)
    told = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["event"] for line in told] == [
        "service_not_reached",
        "socket.accept() out of system resource",
        "service_not_reached",
    ]
    assert (told[2]["repeated"], told[2]["within_seconds"], told[2]["level"]) == (2, 60, "warning")
