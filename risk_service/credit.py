"""The rules of credit, pure: who may have how much, and what an ended order teaches."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from domain.refusals import Refused

Lesson = Literal["paid", "late", "lost"]
START_SCORE = 500
HIGHEST_SCORE = 1000
LEARNS = {"paid": 10, "late": -20, "lost": -200}


@dataclass(frozen=True, slots=True)
class Account:
    """A customer's standing. Amounts in minor units; `outstanding` is what was lost and is still owed."""

    customer: str
    limit: int
    outstanding: int = 0
    score: int = START_SCORE


@dataclass(frozen=True, slots=True)
class Reservation:
    """Credit held for one running session."""

    session: str
    customer: str
    amount: int


def available(account: Account, reserved: int) -> int:
    """limit − reserved − outstanding, in minor units; negative when a limit was lowered meanwhile."""
    return account.limit - reserved - account.outstanding


def reserve(account: Account, reserved: int, session: str, amount: int) -> Reservation | Refused:
    """Hold `amount` for the session, if it is available beside the `reserved` that other sessions hold."""
    free = available(account, reserved)
    if amount > free:
        return Refused(
            "credit_exceeded", f"the order comes to {amount}, but only {max(free, 0)} of credit is available"
        )
    return Reservation(session, account.customer, amount)


def learn(account: Account, amount: int, lesson: Lesson) -> Account:
    """What an ended order changes: the score, and for a lost one what the customer still owes."""
    score = min(max(account.score + LEARNS[lesson], 0), HIGHEST_SCORE)
    owed = amount if lesson == "lost" else 0
    return replace(account, score=score, outstanding=account.outstanding + owed)
