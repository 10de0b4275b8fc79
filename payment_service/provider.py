"""The port to the payment provider: the calls that we make, and its answers. Every adapter implements `Provider`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

CallKind = Literal["authorize", "capture", "void", "refund", "charge"]
CallOutcome = Literal["approved", "declined", "no_answer"]


@dataclass(frozen=True, slots=True)
class Card:
    """All that anybody here may know of a card."""

    brand: str
    last4: str


@dataclass(frozen=True, slots=True)
class Call:
    """One call. `key` is its idempotency key: however often it is sent, the provider does it once.

    `payment` is our own reference of the payment (`pay_…`), `amount` in minor units of `currency`, `token` the
    customer's payment means (a reference, never a card number).
    """

    key: str
    kind: CallKind
    payment: str
    amount: int
    currency: str
    token: str | None = None


@dataclass(frozen=True, slots=True)
class ProviderAnswer:
    """What became of the call with this key. `no_answer`: it may have happened or not.

    `amount` is what was moved, in minor units; None stands for all that was asked. `reason` is a sentence for people.
    """

    key: str
    outcome: CallOutcome
    reference: str | None = None
    card: Card | None = None
    reason: str = ""
    amount: int | None = None


OnAnswer = Callable[[Sequence[ProviderAnswer]], None]
TAKES_MONEY: tuple[CallKind, ...] = ("authorize", "charge", "capture")


def in_full(call: Call, answer: ProviderAnswer) -> ProviderAnswer:
    """The answer; a yes to another amount than was asked for is none (docs/decisions/083)."""
    if call.kind not in TAKES_MONEY or answer.outcome != "approved" or answer.amount in (None, call.amount):
        return answer
    return replace(answer, outcome="no_answer", reason=f"the provider said yes to {answer.amount} of {call.amount}")


class Provider(Protocol):
    """What an adapter promises:

    - the same key again moves nothing again and gets the recorded answer;
    - `void` names the payment, not an authorisation: it fences it. Whatever of it is authorised is given back, and an
      authorisation or charge that arrives afterwards is declined. It is approved also when there was nothing to give
      back (`amount` 0). When the money was taken already it is declined, with that money as `amount`;
    - `charge` is an authorisation and its capture in one.
    """

    def submit(self, calls: Sequence[Call], done: OnAnswer) -> None:
        """Hand the calls over; returns soon. `done` gets the answers, in any order, from any thread, in any number
        of pieces; a call that is not answered within ANSWER_LIMIT_MS counts as `no_answer`."""
        ...

    def close(self) -> None:
        """End own threads; calls in hand may stay unanswered."""
        ...


ANSWER_LIMIT_MS = 8_000
