"""What ShopManager reacts to (architecture.md, Words), and what comes out of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from domain.document import Document
from domain.messages import Command, Reply
from domain.refusals import Refused
from domain.times import seconds
from shop_manager.saga import Entry, Saga

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
    """A reply has arrived; whether it answers anything is for `decide` to say (M3)."""

    reply: Reply


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


Happening = Replied | Parked | Woke | Cancelled | Expired | Operated


@dataclass(frozen=True, slots=True)
class Outage:
    """A time in which nobody took replies: deadlines that fell into it are not held against anyone (T5)."""

    start: int
    end: int

    def covers(self, moment: int) -> bool:
        return self.start < moment <= self.end


@dataclass(frozen=True, slots=True)
class Policy:
    """The numbers of the engine, in ms (settings.py). `outages` are the latest ones known."""

    resend_first: int = seconds(5)
    resend_most: int = seconds(60)
    resend_most_person: int = seconds(3600)
    undo_tries: int = 5
    grace: int = seconds(60)
    step_limit_factor: float = 1
    outages: tuple[Outage, ...] = ()

    def outage_over(self, moment: int) -> Outage | None:
        return next((outage for outage in self.outages if outage.covers(moment)), None)


@dataclass(frozen=True, slots=True)
class Decision:
    """What to remember (the saga and its new entries) and what to send.

    `ignored`: why a reply changed nothing. `refused`: why a wish was not granted. Neither changes the saga.
    """

    saga: Saga
    entries: list[Entry] = field(default_factory=list)
    send: list[Command] = field(default_factory=list)
    ignored: str | None = None
    refused: Refused | None = None
