"""The rules of credit, pure: how much a customer may have in which currency, and what an ended order teaches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from domain.money import amount as told
from domain.money import exponent
from domain.refusals import Refused

Lesson = Literal["paid", "late", "lost"]
START_SCORE = 500
HIGHEST_SCORE = 1000
LEARNS = {"paid": 10, "late": -20, "lost": -200}


@dataclass(frozen=True, slots=True)
class Account:
    """A customer's credit in one currency. Amounts in minor units; `outstanding` was lost and is still owed.

    Amounts of different currencies are never added or compared (decision 081).
    """

    customer: str
    currency: str
    limit: int
    outstanding: int = 0


@dataclass(frozen=True, slots=True)
class Reservation:
    """Credit held for one running session. `currency` is None when a version before 081 has written it."""

    session: str
    customer: str
    amount: int
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of those for whom none was set, in minor units.

    `default` and `guest` are in `currency`; in others it is the same number of major units, unless `defaults` or
    `guests` name the currency.
    """

    currency: str
    default: int
    guest: int
    defaults: Mapping[str, int] = field(default_factory=dict)
    guests: Mapping[str, int] = field(default_factory=dict)

    def of(self, customer: str, currency: str) -> int:
        """For this customer, or for a guest's account."""
        here, named = (self.guest, self.guests) if is_guest(customer) else (self.default, self.defaults)
        if currency in named:
            return named[currency]
        places = exponent(currency) - exponent(self.currency)
        return here * int(10**places) if places >= 0 else here // int(10**-places)

    def account(self, customer: str, currency: str) -> Account:
        """The account of somebody for whom none was set."""
        return Account(customer, currency, self.of(customer, currency))


def guest_account(session: str) -> str:
    """The account of one guest session. No customer's id has a slash, so no customer can be called like it."""
    return f"guest/{session}"


def is_guest(account: str) -> bool:
    return account.startswith("guest/")


def available(account: Account, reserved: int) -> int:
    """limit − reserved − outstanding, in minor units; negative when a limit was lowered meanwhile."""
    return account.limit - reserved - account.outstanding


def reserve(account: Account, reserved: int, session: str, amount: int) -> Reservation | Refused:
    """Hold `amount` for the session, if it is available beside the `reserved` that other sessions hold.

    How much is available is told to the shop's own people only.
    """
    free = max(available(account, reserved), 0)
    if amount > free:
        detail = f"the order comes to {told(amount, account.currency)}, which is more than can be ordered here at once"
        internal = f"only {told(free, account.currency)} of credit is available, the limit is "
        return Refused(
            "credit_exceeded",
            f"{detail}: order less, or ask the shop",
            internal=internal + told(account.limit, account.currency),
        )
    return Reservation(session, account.customer, amount, account.currency)


def learn(score: int, amount: int, lesson: Lesson) -> int:
    """The score after an order that ended so; one of nothing teaches nothing."""
    return min(max(score + LEARNS[lesson], 0), HIGHEST_SCORE) if amount else score


def owe(account: Account, amount: int, lesson: Lesson) -> Account:
    """The account after an order that ended so: a lost one is owed."""
    return replace(account, outstanding=account.outstanding + amount) if lesson == "lost" else account
