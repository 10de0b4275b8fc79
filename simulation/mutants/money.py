"""Mutants of money: computes in binary fractions, asks the provider under a new key at each try."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from itertools import count

from payment_service.provider import Call, OnAnswer, ProviderAnswer
from shop_service.order import Line
from simulation.mutants.mutant import replaced
from simulation.provider import SimulatedProvider


def float_money() -> AbstractContextManager[None]:
    """Prices as euros in binary fractions; the cents that get lost are cut off."""

    def total(self: Line) -> int:
        return int(self.quantity * (self.unit_amount / 100) * 100)

    return replaced(Line, total=property(total))


def retry_without_idempotency_key() -> AbstractContextManager[None]:
    """Each try has a key of its own: the provider takes it for a new call."""
    submit, tries = SimulatedProvider.submit, count(1)

    def submits_anew(self: SimulatedProvider, calls: Sequence[Call], done: OnAnswer) -> None:
        known = {f"{call.key}#{next(tries)}": call for call in calls}

        def answered(answers: Sequence[ProviderAnswer]) -> None:
            done([replace(answer, key=known[answer.key].key) for answer in answers])

        submit(self, [replace(call, key=key) for key, call in known.items()], answered)

    return replaced(SimulatedProvider, submit=submits_anew)
