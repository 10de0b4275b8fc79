"""The lines of a Clerk's timeline as its page shows them: attempts that all failed alike are folded into one. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from shop_manager.dashboard.document_diff import FieldChange, changes_of, summary_of
from shop_manager.dashboard.formatting import absolute
from shop_manager.dashboard.timeline_text import Entry, Services, TimelineSentence, sentence_of, why

FAILED = frozenset({"do_failed", "undo_failed"})


class TimelineLine(NamedTuple):
    """`number` is that of the history entry, None for a reply that was ignored. `changes` are of the document.

    `folded` are the lines that this one stands for, the latest first; then `number` and `at` are those of the latest.
    """

    number: int | None
    at: str
    sentence: TimelineSentence
    changes: list[FieldChange]
    changes_summary: str
    folded: Sequence[TimelineLine] = ()


def timeline(
    entries: Sequence[Entry], services: Services, question: Mapping[str, Any] | None = None
) -> list[TimelineLine]:
    """The timeline in sentences, the latest first. `question`: the open one of `/ops/clerks/{id}`, for its resends."""
    told = [_line(entry, services, question) for entry in entries]
    folded: list[TimelineLine] = []
    for begin, end in _runs(entries):
        lines = told[begin:end]
        folded += [_fold(entries[begin:end], lines, services)] if end - begin > 1 else lines
    return folded[::-1]


def _line(entry: Entry, services: Services, question: Mapping[str, Any] | None) -> TimelineLine:
    changes, sentence = changes_of(entry.get("changes")), sentence_of(entry, services)
    if question and question["resent"] and _asks(entry, question):
        sentence = sentence._replace(detail=f"{sentence.detail} {_resent(question)}".strip())
    return TimelineLine(entry["number"], entry["at"], sentence, changes, summary_of(changes))


def _asks(entry: Entry, question: Mapping[str, Any]) -> bool:
    asked = (entry["step"], entry["data"].get("direction"), entry["data"].get("attempt"))
    return entry["what"] == "asked" and asked == (question["step"], question["direction"], question["attempt"])


def _resent(question: Mapping[str, Any]) -> str:
    """A resend is the same message once more: a timer, and no entry of the history."""
    times = "once" if question["resent"] == 1 else f"{question['resent']} times"
    return f"The same message went out {times} more, last at {absolute(question['resent_at'])}."


def _runs(entries: Sequence[Entry]) -> Iterator[tuple[int, int]]:
    """Where runs begin and end: attempts one after the other that failed alike, or one entry by itself.

    What an operator has asked begins no run: it stays in sight.
    """
    begin = 0
    while begin < len(entries):
        end = _end_of_attempts(entries, begin)
        yield begin, end
        begin = end


def _end_of_attempts(entries: Sequence[Entry], begin: int) -> int:
    """Behind the last failure of a run that has two of them; else behind the entry itself."""
    code: str | None = None
    end, failures, attempts = begin + 1, 0, _attempts_of(entries[begin])
    for at in range(begin, len(entries)):
        if attempts is None or _attempts_of(entries[at]) != attempts:
            break
        if entries[at]["what"] in FAILED:
            if code not in (None, entries[at]["data"].get("code")):
                break
            code, failures = entries[at]["data"].get("code"), failures + 1
            end = at + 1 if failures > 1 else end
    return end


def _attempts_of(entry: Entry) -> tuple[str, str] | None:
    """The step and the direction that this is an attempt of, by itself, or its failure; else None."""
    if entry["what"] in FAILED:
        return entry["step"], "undo" if entry["what"] == "undo_failed" else "do"
    by_itself = entry["what"] == "asked" and not entry["data"].get("by")
    return (entry["step"], entry["data"]["direction"]) if by_itself else None


def _fold(entries: Sequence[Entry], lines: Sequence[TimelineLine], services: Services) -> TimelineLine:
    """As its last line, with how often it was tried."""
    last = entries[-1]
    count = sum(entry["what"] in FAILED for entry in entries)
    who, task = services.get(last["step"] or "", "the service"), "undo" if last["what"] == "undo_failed" else "do"
    text = f"{who} was asked {count} times to {task} {last['step']}, and could not each time"
    sentence = lines[-1].sentence._replace(
        text=text, detail=f"{why(last['data'])}. The last answer came at {absolute(last['at'])}."
    )
    return lines[-1]._replace(sentence=sentence, changes=[], changes_summary="", folded=lines[::-1])
