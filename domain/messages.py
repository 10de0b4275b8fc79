"""The messages between ShopManager and the services: commands, replies and notices (docs/design/processes.md)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from domain.document import Document
from domain.ids import message_id
from domain.refusals import Refused

Direction = Literal["do", "undo"]
Outcome = Literal["done", "refused", "undone", "unsupported"]
SHOP_MANAGER = "shop_manager"


@dataclass(frozen=True, slots=True)
class Command:
    """An order to one service. `deadline` is the moment after which nobody may act on it any more (T2), or None.

    `service` is the addressee: the first part of the topic, not part of the body.
    """

    service: str
    name: str
    version: int
    clerk: str
    step: str
    attempt: int
    direction: Direction
    document: Document
    sent_at: int | None
    deadline: int | None = None
    causation: str | None = None
    traceparent: str | None = None

    @property
    def id(self) -> str:
        return message_id(self.clerk, self.step, self.attempt, self.direction)


@dataclass(frozen=True, slots=True)
class Reply:
    """A service's answer, with the whole document in it. `refusal` is set exactly when `outcome` is `refused`.

    Its body does not say who answers: the step says whose section may be taken from it. `sender` is the user of the
    broker who sent it, as the broker says; None where nobody has said it. It is no part of the body.

    `report`, where it is not 0, makes it an interim reply (M9), the so-manieth of its turn: the section as it is now,
    and the turn stays open. Its `outcome` is `undone`, which a ShopManager that knows no reports ignores (M3).
    """

    name: str
    version: int
    clerk: str
    step: str
    attempt: int
    direction: Direction
    outcome: Outcome
    refusal: Refused | None
    document: Document
    sent_at: int | None
    traceparent: str | None = None
    report: int = 0
    sender: str | None = field(default=None, compare=False)

    @property
    def in_reply_to(self) -> str:
        return message_id(self.clerk, self.step, self.attempt, self.direction)

    @property
    def id(self) -> str:
        return f"{self.in_reply_to}/report/{self.report}" if self.report else f"{self.in_reply_to}/reply"


@dataclass(frozen=True, slots=True)
class ParkedNotice:
    """A service tells ShopManager that it has parked a message: a bad one (B1), or one whose handler fails (B2).

    `command` is the id of the command that it was or answered, where it could be read; `body` its first bytes.
    `poison`: its handling killed the process of its service (`killer` on the wire). `sender`: the user of the broker
    who had sent the message; `forged`: that user may not say it (S13), so it tells nothing of its Clerk.
    """

    service: str
    parked: str
    reason: str
    queue: str
    command: str | None
    body: bytes
    size: int
    sent_at: int
    poison: bool = False
    sender: str | None = None
    forged: bool = False

    @property
    def id(self) -> str:
        return f"{self.parked}/notice"

    @property
    def clerk(self) -> str | None:
        return self.command.split("/", 1)[0] if self.command else None


Message = Command | Reply | ParkedNotice


def answer(command: Command, outcome: Outcome, document: Document, now: int, refusal: Refused | None = None) -> Reply:
    """The reply to `command`."""
    return Reply(
        name=command.name,
        version=command.version,
        clerk=command.clerk,
        step=command.step,
        attempt=command.attempt,
        direction=command.direction,
        outcome=outcome,
        refusal=refusal,
        document=document,
        sent_at=now,
        traceparent=command.traceparent,
    )


def report_on(command: Command, number: int, document: Document, now: int) -> Reply:
    """The report with this number, from 1 on, about the turn that `command` has opened (M9)."""
    return replace(answer(command, "undone", document, now), report=number)
