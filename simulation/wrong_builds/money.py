"""Wrong ways with money: reckoned in fractions, and asked of the provider under a new key at each try."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from itertools import count

from payment_service.provider import Answer, Call
from shop_service.order import Line
from simulation.provider import Done, SimulatedProvider
from simulation.wrong_builds.build import replaced


def float_money() -> AbstractContextManager[None]:
    """Prices as euros in binary fractions; the cents that get lost are cut off."""

    def total(self: Line) -> int:
        return int(self.quantity * (self.unit_amount / 100) * 100)

    return replaced(Line, total=property(total))


def retry_without_idempotency_key() -> AbstractContextManager[None]:
    """Each try has a key of its own: the provider takes it for a new wish."""
    submit, tries = SimulatedProvider.submit, count(1)

    def submits_anew(self: SimulatedProvider, calls: Sequence[Call], done: Done) -> None:
        known = {f"{call.key}#{next(tries)}": call for call in calls}

        def answered(answers: Sequence[Answer]) -> None:
            done([replace(answer, key=known[answer.key].key) for answer in answers])

        submit(self, [replace(call, key=key) for key, call in known.items()], answered)

    return replaced(SimulatedProvider, submit=submits_anew)
