"""Pure: a Clerk's history is a legal path, and folds to the stored state (I2, I9, I10, I11, I12)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields

from domain.document import SECTION_OF, Document
from shop_manager.processes.definition import NOTHING_TO_UNDO, Process
from shop_manager.saga.state import ENDED, Folding, HistoryEntry, Question, Saga, fold
from verifier.facts import Facts
from verifier.repairs import BY_HAND
from verifier.violation import Violation

Wrong = tuple[str, str, str]
"""(invariant, expected, found)."""
AFTER_THE_END = frozenset({"note", "forgotten"})


def check_history(facts: Facts) -> Iterator[Violation]:
    """Entries are numbered without gaps, each is legal where it stands, and together they give the stored state."""
    numbers = [number for number, _ in facts.clerk.history]
    if numbers != list(range(1, len(numbers) + 1)) or not numbers:
        yield _violation(facts, ("I9", "history entries numbered 1…n without gaps", f"numbers {_gaps(numbers)}"))
    entries = [entry for _, entry in facts.clerk.history]
    wrong: list[Wrong] = []
    try:
        folded = walk(facts.id, entries, facts.process, wrong)
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        yield _violation(facts, ("I9", "a history that folds", f"{type(error).__name__}: {error}"[:200]))
        return
    for each in wrong:
        yield _violation(facts, each)
    stored = _as_opened(facts.saga.document, entries) if "amended" in facts.happened else facts.saga.document
    yield from _compare(facts, folded, stored)
    yield from _untouched(facts, entries[0], stored)


def walk(clerk: str, entries: list[HistoryEntry], process: Process | None, wrong: list[Wrong]) -> Saga:
    """The saga that the entries fold to. What is illegal on the way is appended to `wrong`."""
    saga = Folding.begun(fold(clerk, entries[:1]))
    for entry in entries[1:]:
        may = LEGAL.get(entry.what)
        if saga.status in ENDED:
            if entry.what not in AFTER_THE_END:
                wrong.append(("I2", f"nothing but notes after the end ({saga.status})", f"entry {entry.what!r}"))
        elif may is not None:
            found = may(saga, entry, process)
            if found:
                wrong.append(found)
        saga.take(entry)
    return saga


def _asked(saga: Saga, entry: HistoryEntry, process: Process | None) -> Wrong | None:
    if entry.data["direction"] == "undo":
        return _undo_asked(saga, entry, process)
    if saga.status != "running":
        return ("I10", "no step is asked to be done while the order is undone", f"{entry.step} was asked to be done")
    if saga.question:
        return _asked_anew(saga.question, entry)
    if process is None:
        return None
    for step in process.steps:
        if saga.state_of(step.name) != "done":
            due = step.name if step.name not in saga.steps else None
            return None if entry.step == due else ("I9", f"{due or 'no step'} is asked next", f"{entry.step} was")
    return ("I9", "no step is asked when all are done", f"{entry.step} was")


def _asked_anew(question: Question, entry: HistoryEntry) -> Wrong | None:
    data = entry.data
    if (entry.step, data["direction"], data["attempt"]) == (question.step, question.direction, question.attempt + 1):
        return None
    return (
        "I9",
        f"one question at a time: attempt {question.attempt + 1} of {question.step}/{question.direction}",
        f"asked {entry.step}/{data['direction']}, attempt {data['attempt']}",
    )


def _undo_asked(saga: Saga, entry: HistoryEntry, process: Process | None) -> Wrong | None:
    if saga.past_pivot:
        return ("I10", "nothing is undone after the pivot", f"the undo of {entry.step} was asked")
    if saga.status != "undoing":
        return ("I10", "a step is undone only when the order has turned around", f"the undo of {entry.step} was asked")
    if saga.question:
        return _asked_anew(saga.question, entry)
    expected = next_undo(saga, process) if process else entry.step
    if entry.step != expected:
        return ("I10", f"undone in reverse order: {expected or 'nothing'} next", f"the undo of {entry.step} was asked")
    return None


def next_undo(saga: Saga, process: Process) -> str | None:
    """The step that is to be undone next; None when every service that was asked has undone its part."""
    for step in reversed(process.steps[: process.pivot_index]):
        progress = saga.steps.get(step.name)
        kept = progress and progress.state in ("asked", "waiting", "done") and not progress.by_hand
        if kept and step.undo != NOTHING_TO_UNDO:
            return step.name
    return None


def _done(saga: Saga, entry: HistoryEntry, process: Process | None) -> Wrong | None:
    return _not_asked(saga, entry, "do") or _not_its_section(entry, process) or _too_late(saga, entry)


def _undone(saga: Saga, entry: HistoryEntry, process: Process | None) -> Wrong | None:
    return _not_asked(saga, entry, "undo") or _not_its_section(entry, process)


def _refused(saga: Saga, entry: HistoryEntry, process: Process | None) -> Wrong | None:
    return _not_asked(saga, entry, "do") or _too_late(saga, entry) or _refused_late(saga, entry, process)


def _reported(saga: Saga, entry: HistoryEntry, process: Process | None) -> Wrong | None:
    """M9: a report is about the open question, tells its owner's section, and is newer than the one before."""
    known = saga.reported.number if saga.reported and saga.reported.step == entry.step else 0
    if entry.data["number"] <= known:
        return ("I9", f"a report after number {known} of {entry.step}", f"number {entry.data['number']}")
    return _not_asked(saga, entry, "do") or _not_its_section(entry, process) or _too_late(saga, entry)


def _amended(saga: Saga, entry: HistoryEntry, process: Process | None) -> Wrong | None:
    if saga.past_pivot or saga.status != "running":
        return ("I10", "the client changes nothing from the pivot on", f"{entry.data['fields']} were changed")
    return None


def _refused_late(saga: Saga, entry: HistoryEntry, process: Process | None) -> Wrong | None:
    if process is None or not saga.past_pivot or process.step(entry.step or "").pivot:
        return None
    return ("I9", "no step after the pivot is refused for good", f"{entry.step} was refused")


def _not_asked(saga: Saga, entry: HistoryEntry, direction: str) -> Wrong | None:
    question, attempt = saga.question, entry.data["attempt"]
    answers = question and (question.step, question.direction, question.attempt) == (entry.step, direction, attempt)
    if answers:
        return None
    asked = f"{question.step}/{question.direction}, attempt {question.attempt}" if question else "nothing"
    found = f"{entry.what} of {entry.step}, attempt {attempt}"
    return ("I9", f"an answer to the outstanding question ({asked})", found)


def _not_its_section(entry: HistoryEntry, process: Process | None) -> Wrong | None:
    if process is None or entry.data.get("content") is None:
        return None
    owned = SECTION_OF[process.step(entry.step or "").asks]
    if entry.data["section"] == owned:
        return None
    return ("I11", f"{entry.step} changes the section {owned}", f"it changed {entry.data['section']}")


def _too_late(saga: Saga, entry: HistoryEntry) -> Wrong | None:
    """T2: no answer counts after the deadline; from the pivot on there is no deadline."""
    if saga.past_pivot or saga.status != "running" or saga.question is None:
        return None
    deadline = min(saga.expires_at, saga.question.deadline or saga.expires_at)
    if entry.at < deadline:
        return None
    return ("I12", f"no answer counts from the deadline {deadline} on", f"{entry.what} of {entry.step} at {entry.at}")


def _turned_around(saga: Saga, entry: HistoryEntry, process: Process | None) -> Wrong | None:
    if saga.past_pivot:
        return ("I10", "nothing turns around after the pivot", f"turned around at {entry.at}")
    if saga.status != "running":
        return ("I10", "one turning around", "a second one")
    moments = [saga.expires_at, *([saga.question.deadline] if saga.question and saga.question.deadline else [])]
    if entry.data.get("by") == "deadline" and entry.at < min(moments):
        return ("I12", f"the deadline {min(moments)} takes effect when it has come", f"it took effect at {entry.at}")
    return None


def _cannot_now(saga: Saga, entry: HistoryEntry, process: Process | None) -> Wrong | None:
    return _not_asked(saga, entry, "undo" if entry.what == "undo_failed" else "do")


def _settled(saga: Saga, entry: HistoryEntry, process: Process | None) -> Wrong | None:
    """An operator answers the outstanding question in the service's place."""
    direction, outcome = entry.data["direction"], entry.data["outcome"]
    fitting = ("undone",) if direction == "undo" else ("done", "refused")
    if outcome not in fitting:
        return ("I9", f"{direction} settled as {' or '.join(fitting)}", f"{entry.step} was settled as {outcome}")
    refused = outcome == "refused"
    return _not_asked(saga, entry, direction) or (_refused_late(saga, entry, process) if refused else None)


def _ended(saga: Saga, entry: HistoryEntry, process: Process | None) -> Wrong | None:
    status = entry.data["status"]
    if saga.question:
        return ("I1", "no question is open at the end", f"{saga.question.step}/{saga.question.direction} was")
    if status != "completed":
        left = next_undo(saga, process) if process else None
        if saga.status != "undoing" or status != (saga.ending or "failed"):
            return ("I9", f"it ends as it turned around ({saga.ending or 'not at all'})", f"it ended {status}")
        return ("I10", "everybody who was asked has undone his part", f"{left} has not") if left else None
    undone = [name for name in process.names if saga.state_of(name) != "done"] if process else []
    if saga.status != "running" or undone:
        return ("I9", "completed when every step is done", f"{', '.join(undone) or saga.status} at the end")
    return None


def _opened(saga: Saga, entry: HistoryEntry, process: Process | None) -> Wrong | None:
    return ("I9", "a Clerk is opened once", f"opened again at {entry.at}")


LEGAL: dict[str, Callable[[Saga, HistoryEntry, Process | None], Wrong | None]] = {
    "opened": _opened,
    "asked": _asked,
    "done": _done,
    "undone": _undone,
    "refused": _refused,
    "reported": _reported,
    "amended": _amended,
    "undo_failed": _cannot_now,
    "do_failed": _cannot_now,
    "turned_around": _turned_around,
    "settled": _settled,
    "ended": _ended,
}


FOLDED = tuple(field.name for field in fields(Saga) if field.name not in ("resend", "document"))


def _as_opened(document: Document, entries: list[HistoryEntry]) -> Document:
    """The document with the fields that the client has amended as they were: the history says only which these are."""
    amended = {name for entry in entries if entry.what == "amended" for name in entry.data["fields"]}
    before = entries[0].data["document"]
    customer = dict(document.get("customer") or {})
    customer |= {name: before["customer"][name] for name in amended & before["customer"].keys()}
    return {**document, "customer": customer, **({"metadata": before["metadata"]} if "metadata" in amended else {})}


def _compare(facts: Facts, folded: Saga, document: Document) -> Iterator[Violation]:
    """The stored saga is the fold of its history, but for `resend`: when to ask again is no part of the history."""
    stored = facts.saga
    for name in FOLDED:
        derived, kept = getattr(folded, name), getattr(stored, name)
        if derived != kept and not (name == "heard" and kept is None):  # an older version did not keep it
            expected = f"{name} as its history tells: {_short(derived)}"
            yield _violation(facts, ("I9", expected, f"stored: {_short(kept)}"))
    if folded.document == document:
        return
    for section in sorted(folded.document.keys() | document.keys()):
        if folded.document.get(section) != document.get(section):
            owner = next((service for service, owned in SECTION_OF.items() if owned == section), "ShopManager")
            expected = f"section {section} as {owner} left it: {_short(folded.document.get(section))}"
            yield _violation(facts, ("I11", expected, f"stored: {_short(document.get(section))}"))


def _untouched(facts: Facts, opened: HistoryEntry, now: Document) -> Iterator[Violation]:
    """Sections that no service owns are as they were when the Clerk was opened: no reply may change them."""
    before = opened.data["document"]
    for section in sorted((before.keys() | now.keys()) - set(SECTION_OF.values())):
        if before.get(section) != now.get(section):
            expected = f"section {section} as ShopManager opened it: {_short(before.get(section))}"
            yield _violation(facts, ("I11", expected, f"stored: {_short(now.get(section))}"))


def _gaps(numbers: list[int]) -> str:
    if not numbers:
        return "none at all"
    missing = sorted(set(range(1, max(numbers) + 1)) - set(numbers))
    return f"1…{max(numbers)} without {', '.join(map(str, missing[:10]))}"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 120 else f"{text[:117]}…"


def _violation(facts: Facts, wrong: Wrong) -> Violation:
    return Violation(wrong[0], facts.id, wrong[1], wrong[2], BY_HAND)
