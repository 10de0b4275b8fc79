"""Attempts that failed alike are one line with all of them behind it; what differs, or a person did, is in sight."""

from __future__ import annotations

from typing import Any

from shop_manager.dashboard.timeline_lines import TimelineLine, timeline

SERVICES = {"settle": "risk", "credit": "risk"}
NO_CHANGES: dict[str, Any] = {"added": {}, "changed": {}, "removed": {}}


class Story:
    """Entries as `/ops/clerks/{id}/timeline` has them, a second apart."""

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []

    def asked(self, attempt: int, direction: str = "do", **more: Any) -> Story:
        data = {"attempt": attempt, "direction": direction, "command": "SettleCredit", "deadline": None, **more}
        return self.add("asked", **data, waits_for=None)

    def failed(self, code: str = "ledger_closed", what: str = "do_failed") -> Story:
        return self.add(what, code=code, detail="not today", retry_at=None)

    def add(self, what: str, **data: Any) -> Story:
        number = len(self.entries) + 1
        at = f"2026-11-25T03:00:{number:02}.000Z"
        entry = {"number": number, "at": at, "what": what, "step": "settle", "data": data, "changes": NO_CHANGES}
        self.entries.append(entry)
        return self

    def lines(self, question: dict[str, Any] | None = None) -> list[TimelineLine]:
        return timeline(self.entries, SERVICES, question)


def texts(lines: list[TimelineLine]) -> list[str]:
    return [line.sentence.text for line in lines]


def test_attempts_that_failed_alike_are_one_line_with_how_often_why_and_when_last() -> None:
    story = Story()
    for attempt in range(1, 7):
        story.asked(attempt).failed()
    [line] = story.lines()
    assert line.sentence.text == "risk was asked 6 times to do settle, and could not each time"
    assert line.sentence.detail == "ledger_closed: not today. The last answer came at 2026-11-25 03:00:12 UTC."
    assert (line.number, [each.number for each in line.folded]) == (12, list(range(12, 0, -1)))


def test_the_question_that_is_open_stays_in_sight_behind_them() -> None:
    story = Story().asked(1).failed().asked(2).failed().asked(3)
    assert texts(story.lines()) == [
        "risk was asked to SettleCredit, attempt 3",
        "risk was asked 2 times to do settle, and could not each time",
    ]


def test_one_failure_is_not_folded() -> None:
    assert all(not line.folded for line in Story().asked(1).failed().asked(2).lines())


def test_another_code_begins_another_line() -> None:
    story = Story().asked(1).failed().asked(2).failed().asked(3).failed("no_paper").asked(4).failed("no_paper")
    assert [len(line.folded) for line in story.lines()] == [4, 4]


def test_what_an_operator_asked_for_stays_in_sight() -> None:
    story = Story().asked(1).failed().asked(2).failed().asked(3, by="operator:nora", reason="try").failed()
    assert texts(story.lines())[1] == "risk was asked to SettleCredit, attempt 3, by nora"


def test_getting_stuck_stays_in_sight_between_them() -> None:
    story = (
        Story().asked(1).failed().asked(2).failed().add("stuck", kind="overdue", service="risk", code="x", detail="")
    )
    story.asked(3).failed().asked(4).failed()
    assert [len(line.folded) for line in story.lines()] == [4, 0, 4]


def test_undos_are_folded_by_themselves() -> None:
    story = Story().asked(1, "undo").failed("x", "undo_failed").asked(2, "undo").failed("x", "undo_failed")
    [line] = story.lines()
    assert "risk was asked 2 times to undo settle" in line.sentence.text


def test_resends_are_told_with_the_open_question() -> None:
    question = {"step": "settle", "direction": "do", "attempt": 2, "resent": 3, "resent_at": "2026-11-25T03:01:00.000Z"}
    latest, *earlier = Story().asked(1).failed().asked(2).lines(question)
    assert "The same message went out 3 times more, last at 2026-11-25 03:01:00 UTC." in latest.sentence.detail
    assert all("more, last" not in line.sentence.detail for line in earlier)


def test_of_nothing_there_are_no_lines() -> None:
    assert timeline([], SERVICES) == []
