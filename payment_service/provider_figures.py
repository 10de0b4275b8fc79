"""What the provider has answered, for `/metrics`, of this process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from prometheus_client import Counter

from payment_service.provider import CallKind, ProviderAnswer

_KINDS = frozenset(get_args(CallKind))


class ProviderFigures:
    """`answers` is the collector."""

    def __init__(self) -> None:
        self.answers = Counter(
            "clerk_provider_answers",
            "Answers of the payment provider to our calls; no_answer: it was silent, or said what we cannot take.",
            ["kind", "outcome"],
            registry=None,
        )

    def note(self, answers: Sequence[ProviderAnswer]) -> None:
        """These were taken in. A call's key is `clk_…/payment/<kind>/<n>`."""
        for each in answers:
            kind = each.key.split("/")[-2:][0]
            self.answers.labels(kind if kind in _KINDS else "other", each.outcome).inc()
