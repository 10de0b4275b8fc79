"""The state of one order's saga, as values, and how each history entry changes it.

`evolve` is the only way a saga changes: its state is the fold of its history (semantics E2).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from domain.document import Document
from domain.messages import Direction

Status = Literal["running", "undoing", "completed", "failed", "canceled", "expired"]
"""`running`: forward. `undoing`: being put back. The other four are the ends (E1)."""
EndStatus = Literal["completed", "failed", "canceled", "expired"]
ENDED: frozenset[str] = frozenset({"completed", "failed", "canceled", "expired"})
BY_OPERATOR = "operator:"
"""How `by` of a history entry begins when it was an operator; their name follows."""
StepState = Literal["to_do", "asked", "waiting", "done", "refused", "undoing", "undone", "skipped"]
StuckKind = Literal["undo_failing", "no_answer", "overdue", "parked_message", "unsupported"]


class HistoryEntry(NamedTuple):
    """One line of a Clerk's history. Entries are numbered 1…n without gaps; `data` is JSON.

    What each `what` carries stands with the function that evolves it, below.
    """

    what: str
    at: int
    step: str | None = None
    data: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Question:
    """The one outstanding question of a Clerk (M3). `command` may differ from the step's usual one (overdue).

    `deadline` is the step's own limit, absolute. `failures` counts the answers "cannot now" (U5); after one the
    question is `paused` until it is asked anew.
    """

    step: str
    direction: Direction
    attempt: int
    command: str
    asked_at: int
    deadline: int | None
    waits_for: str | None
    failures: int = 0
    paused: bool = False


@dataclass(frozen=True, slots=True)
class Reported:
    """The last report that was taken: the step that it was about, and its number within the turn (M9)."""

    step: str
    number: int


@dataclass(frozen=True, slots=True)
class Heard:
    """What a service said last when it answered "cannot now" (U5): of which step, and its code and words."""

    step: str
    direction: Direction
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Resend:
    """When the outstanding question is asked again, and how often it was: a timer, not history (M4)."""

    at: int
    count: int = 0


class Progress(NamedTuple):
    """How far one step is. `by_hand`: an operator settled it, and it stays so when the order is undone (O2)."""

    state: StepState
    at: int
    attempts: int = 1
    by_hand: bool = False


@dataclass(frozen=True, slots=True)
class Stuck:
    """A Clerk that needs a person or an outside repair (E3: not an end, and clients never see it).

    `kind`, `code` and `detail` follow what was heard last; `since` is the first moment, whatever was heard after it.
    """

    kind: StuckKind
    since: int
    step: str
    service: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Saga:
    """Everything `decide` needs to know of a Clerk. `version` is the number of its history entries.

    `amended`: the version that last changed who the customer is, where the goods go, or the metadata; 0: none did.
    `amendments`: how often that was. `stuck_before`: it was stuck when it turned around, and has heard nothing since.
    """

    id: str
    process: str
    version: int
    status: Status
    opened_at: int
    updated_at: int
    expires_at: int
    document: Document
    steps: Mapping[str, Progress] = field(default_factory=dict)
    question: Question | None = None
    resend: Resend | None = None
    ending: EndStatus | None = None
    failure: Mapping[str, Any] | None = None
    stuck: Stuck | None = None
    past_pivot: bool = False
    traceparent: str | None = None
    reported: Reported | None = None
    amended: int = 0
    amendments: int = 0
    heard: Heard | None = None
    stuck_before: bool = False

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    @property
    def is_authorizing(self) -> bool:
        """Has payment reported that the provider is asked, and nothing else since?"""
        return self._told_by_payment.get("status") == "authorizing"

    @property
    def takes_no_card(self) -> bool:
        """Has payment reported of an invoice that the last card that it takes was declined?"""
        return (self._told_by_payment.get("last_error") or {}).get("code") == "too_many_cards"

    @property
    def _told_by_payment(self) -> Mapping[str, Any]:
        """Payment's section, when it has reported something of the open question."""
        asked = self.question.step if self.question and self.status == "running" else None
        reported = self.reported is not None and self.reported.step == asked
        return (self.document.get("payment") or {}) if reported else {}

    @property
    def last_heard(self) -> Heard | None:
        """What was said last to the open question, when that was "cannot now"; None when nothing was heard of it."""
        question, heard = self.question, self.heard
        if question is None or heard is None or not question.failures:
            return None
        return heard if (heard.step, heard.direction) == (question.step, question.direction) else None

    @property
    def waits_for(self) -> str | None:
        """Who has the turn: customer or warehouse; None for a service, as while it asks the payment provider, and when
        there is nothing that the customer can still do.
        """
        if self.question is None or self.is_authorizing or self.takes_no_card:
            return None
        return self.question.waits_for

    def state_of(self, step: str) -> StepState:
        progress = self.steps.get(step)
        return progress.state if progress else "to_do"


def fold(clerk: str, entries: Iterable[HistoryEntry]) -> Saga:
    """The saga that a history tells of. ValueError when the first entry is not `opened`."""
    saga: Saga | None = None
    for entry in entries:
        saga = _opened(clerk, entry) if saga is None else evolve(saga, entry)
    if saga is None:
        raise ValueError(f"Clerk {clerk} has no history")
    return saga


def _opened(clerk: str, entry: HistoryEntry) -> Saga:
    if entry.what != "opened":
        raise ValueError(f"the history of {clerk} begins with {entry.what!r}: only 'opened' is allowed there")
    return Saga(
        id=clerk,
        process=entry.data["process"],
        version=1,
        status="running",
        opened_at=entry.at,
        updated_at=entry.at,
        expires_at=entry.data["expires_at"],
        document=entry.data["document"],
        traceparent=entry.data.get("traceparent"),
    )


def evolve(saga: Saga, entry: HistoryEntry) -> Saga:
    """The saga after one more entry of its history. A note after the end leaves the time of the end as it is."""
    changes = _EVOLVES[entry.what](saga, entry) | {"version": saga.version + 1}
    if not saga.ended:
        changes["updated_at"] = entry.at
    values = list(_values_of(saga))
    for name, value in changes.items():
        values[_PLACES[name]] = value
    return Saga(*values)


class Folding(Saga):
    """A saga of one's own, to be folded in place: a history is folded for every Clerk that is verified."""

    __slots__ = ()
    __setattr__ = object.__setattr__

    @classmethod
    def begun(cls, saga: Saga) -> Folding:
        """That saga, to go on from."""
        return cls(*_values_of(saga))

    def take(self, entry: HistoryEntry) -> None:
        """Become what `evolve` would return."""
        updated_at = self.updated_at if self.ended else entry.at
        for name, value in _EVOLVES[entry.what](self, entry).items():
            setattr(self, name, value)
        self.version += 1  # type: ignore[misc]  # this one may change
        self.updated_at = updated_at  # type: ignore[misc]  # as above


_NAMES = tuple(field.name for field in fields(Saga))
_PLACES = {name: place for place, name in enumerate(_NAMES)}
_values_of = attrgetter(*_NAMES)
FieldChanges = dict[str, Any]
"""What an entry changes of the saga, by field."""


def _asked(saga: Saga, entry: HistoryEntry) -> FieldChanges:
    """data: direction, attempt, command, deadline, waits_for, resend_at, pivot, failures; by, reason of an operator."""
    data, step = entry.data, entry.step or ""
    question = Question(
        step=step,
        direction=data["direction"],
        attempt=data["attempt"],
        command=data["command"],
        asked_at=entry.at,
        deadline=data["deadline"],
        waits_for=data["waits_for"],
        failures=data.get("failures", 0),
    )
    state: StepState = "undoing" if question.direction == "undo" else "waiting" if question.waits_for else "asked"
    return {
        "steps": _with_step(saga, step, state, entry.at, data["attempt"]),
        "question": question,
        "resend": Resend(data["resend_at"]),
        "past_pivot": saga.past_pivot or data["pivot"],
    }


def _answered(saga: Saga, entry: HistoryEntry) -> FieldChanges:
    """done, undone; data: attempt, section (name), content (the owner's section as it is now, or null)."""
    state: StepState = "done" if entry.what == "done" else "undone"
    document = saga.document
    if entry.data.get("content") is not None:
        document = {**document, entry.data["section"]: entry.data["content"]}
    steps = _with_step(saga, entry.step or "", state, entry.at)
    return {"steps": steps, "question": None, "resend": None, "document": document}


def _reported(saga: Saga, entry: HistoryEntry) -> FieldChanges:
    """data: attempt, number, section (name), content (the owner's section as it is now)."""
    document = {**saga.document, entry.data["section"]: entry.data["content"]}
    return {"document": document, "reported": Reported(entry.step or "", entry.data["number"])}


def _refused(saga: Saga, entry: HistoryEntry) -> FieldChanges:
    """data: attempt, code, detail; section and content as in `done`, when something was reported before."""
    steps = _with_step(saga, entry.step or "", "refused", entry.at)
    changes: FieldChanges = {"steps": steps, "question": None, "resend": None, "past_pivot": False}
    if entry.data.get("content") is not None:
        changes["document"] = {**saga.document, entry.data["section"]: entry.data["content"]}
    return changes


def _cannot_now(saga: Saga, entry: HistoryEntry) -> FieldChanges:
    """undo_failed, do_failed; data: attempt, code, detail, retry_at: the same is asked anew then (U5)."""
    question = saga.question
    if question is None:
        return {}
    paused = replace(question, failures=question.failures + 1, paused=True)
    heard = Heard(question.step, question.direction, entry.data["code"], entry.data["detail"])
    return {"question": paused, "resend": Resend(entry.data["retry_at"]), "heard": heard}


def _turned_around(saga: Saga, entry: HistoryEntry) -> FieldChanges:
    """data: ending, failure {code, step, detail} or null, by; stays_stuck, until the first undo is answered.

    From here on everything is undone.
    """
    stays = entry.data.get("stays_stuck", False)
    return {
        "status": "undoing",
        "ending": entry.data["ending"],
        "failure": entry.data["failure"],
        "question": None,
        "resend": None,
        "stuck": saga.stuck if stays else None,
        "stuck_before": stays,
    }


def _stuck(saga: Saga, entry: HistoryEntry) -> FieldChanges:
    """data: kind, service, code, detail; since, when it was stuck before and something else is heard now."""
    data, step = entry.data, entry.step or ""
    since = data.get("since", entry.at)
    stuck = Stuck(data["kind"], since, step, data["service"], data["code"], data["detail"])
    return {"stuck": stuck, "stuck_before": False}


def _unstuck(saga: Saga, entry: HistoryEntry) -> FieldChanges:
    """It goes on: what it was stuck at is answered, or has more time."""
    return {"stuck": None, "stuck_before": False}


def _deadlines_moved(saga: Saga, entry: HistoryEntry) -> FieldChanges:
    """data: expires_at, deadline (of the question, or null), why (T5); by and reason when an operator moved them."""
    question = saga.question and replace(saga.question, deadline=entry.data["deadline"])
    return {"expires_at": entry.data["expires_at"], "question": question}


def _settled(saga: Saga, entry: HistoryEntry) -> FieldChanges:
    """data: direction, attempt, outcome, evidence, undo, by, reason: an operator answers for the service (O2)."""
    outcome, step = entry.data["outcome"], entry.step or ""
    kept = outcome == "done" and not entry.data["undo"]
    steps = _with_step(saga, step, outcome, entry.at, by_hand=kept)
    past_pivot = saga.past_pivot and outcome != "refused"
    return {"steps": steps, "question": None, "resend": None, "past_pivot": past_pivot}


def _ended(saga: Saga, entry: HistoryEntry) -> FieldChanges:
    """data: status."""
    status = entry.data["status"]
    return {"status": status, "question": None, "resend": None, "stuck": None, "stuck_before": False}


def _amended(saga: Saga, entry: HistoryEntry) -> FieldChanges:
    """data: fields (their names), by. What is in them now stands in the document alone, for it is personal."""
    return {"amended": saga.version + 1, "amendments": saga.amendments + 1}


def _noted(saga: Saga, entry: HistoryEntry) -> FieldChanges:
    """foreign_edit (data: sections, by), note (data: text, by), forgotten (data: by): see saga/forgetting.py."""
    return {}


_EVOLVES: dict[str, Callable[[Saga, HistoryEntry], FieldChanges]] = {
    "asked": _asked,
    "done": _answered,
    "undone": _answered,
    "refused": _refused,
    "reported": _reported,
    "undo_failed": _cannot_now,
    "do_failed": _cannot_now,
    "turned_around": _turned_around,
    "stuck": _stuck,
    "unstuck": _unstuck,
    "deadlines_moved": _deadlines_moved,
    "settled": _settled,
    "amended": _amended,
    "ended": _ended,
    "foreign_edit": _noted,
    "note": _noted,
    "forgotten": _noted,
}


def _with_step(
    saga: Saga, step: str, state: StepState, at: int, attempts: int | None = None, *, by_hand: bool = False
) -> dict[str, Progress]:
    before = saga.steps.get(step)
    progress = Progress(state, at, attempts or (before.attempts if before else 1), by_hand)
    return {**saga.steps, step: progress}
