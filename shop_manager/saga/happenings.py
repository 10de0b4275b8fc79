"""What can happen to a Clerk, as values, and the Decision that follows from each. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from domain.document import Document
from domain.messages import Command, Reply
from domain.refusals import Refused
from shop_manager.saga.state import HistoryEntry, Saga

SettledOutcome = Literal["done", "refused", "undone"]


@dataclass(frozen=True, slots=True)
class Started:
    """A session was opened; the document is as it begins."""

    document: Document
    expires_at: int
    chosen: dict[str, Any]
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Replied:
    """A reply has arrived; whether it answers anything is for `decide` to say (M3).

    `by`: the operator who has it handled once more.
    """

    reply: Reply
    by: str = ""


@dataclass(frozen=True, slots=True)
class Parked:
    """A service has parked the command with this id."""

    command: str
    service: str
    reason: str


@dataclass(frozen=True, slots=True)
class Woke:
    """The Clerk's `wake_at` has come: a deadline, or time to ask again."""


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The client, or an operator, calls the order off."""

    by: str = "customer"
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Expired:
    """The shop's backend ends the session as if its deadline had come."""


@dataclass(frozen=True, slots=True)
class Amended:
    """The client sets `name`, `email`, `shipping_address` or `metadata`; by whom: `customer` or `shop`."""

    values: Mapping[str, Any]
    by: str


@dataclass(frozen=True, slots=True)
class Retry:
    """Ask the outstanding question again now, as a new attempt. `command`: only if this message is what is asked."""

    command: str | None = None


@dataclass(frozen=True, slots=True)
class Undo:
    """Stop the order and undo it."""


@dataclass(frozen=True, slots=True)
class Extend:
    """No deadline of this Clerk comes before `until` (ms)."""

    until: int


@dataclass(frozen=True, slots=True)
class Settle:
    """The operator knows, and says with what evidence, how the outstanding question was answered in truth.

    A step settled as done is not undone later unless `undo` says so (O2).
    """

    step: str
    outcome: SettledOutcome
    evidence: str
    undo: bool = False


@dataclass(frozen=True, slots=True)
class Note:
    """A line in the history, and nothing else."""

    text: str


Act = Retry | Undo | Extend | Settle | Note


@dataclass(frozen=True, slots=True)
class Operated:
    """An operator acts, and says why (O1)."""

    act: Act
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class UndoAgain:
    """Have a service undo its part of a Clerk that has ended. `history`: all that happened to it so far."""

    service: str
    history: Sequence[HistoryEntry]


@dataclass(frozen=True, slots=True)
class AskAgain:
    """Ask the open question once more."""


@dataclass(frozen=True, slots=True)
class ListAnew:
    """Write the Clerk's row anew, as its own state says."""


RepairAct = UndoAgain | AskAgain | ListAnew


@dataclass(frozen=True, slots=True)
class Repaired:
    """`clerk repair` repairs one Clerk. It is no Happening: see saga/repairing.py."""

    act: RepairAct


Happening = Replied | Parked | Woke | Cancelled | Expired | Amended | Operated


@dataclass(frozen=True, slots=True)
class Decision:
    """What to remember (the saga and its new entries) and what to send.

    `ignored`: why a reply changed nothing. `refused`: why an act was not allowed. Neither changes the saga.
    """

    saga: Saga
    entries: list[HistoryEntry] = field(default_factory=list)
    send: list[Command] = field(default_factory=list)
    ignored: str | None = None
    refused: Refused | None = None
