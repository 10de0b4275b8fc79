"""The messages between ShopManager and the services: commands, replies and notices (processes.md, Messages)."""

from __future__ import annotations

from dataclasses import dataclass
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

    `service` is the addressee: the first part of the routing key, not part of the body.
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

    It does not say who answers: the step says whose section may be taken from it.
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

    @property
    def in_reply_to(self) -> str:
        return message_id(self.clerk, self.step, self.attempt, self.direction)

    @property
    def id(self) -> str:
        return f"{self.in_reply_to}/reply"


@dataclass(frozen=True, slots=True)
class Notice:
    """A service's word to ShopManager that it has parked a message: a bad one (B1), or one that it fails at (B2).

    `command` is the id of the command it was, when it could be read that far; `body` its bytes, cut.
    `killer`: it took the process of its service with it.
    """

    service: str
    parked: str
    reason: str
    queue: str
    command: str | None
    body: bytes
    size: int
    sent_at: int
    killer: bool = False

    @property
    def id(self) -> str:
        return f"{self.parked}/notice"

    @property
    def clerk(self) -> str | None:
        return self.command.split("/", 1)[0] if self.command else None


Message = Command | Reply | Notice


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
