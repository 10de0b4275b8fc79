"""What the provider answers is counted, by kind of call and outcome, and under no name that anybody can make up."""

from __future__ import annotations

import pytest

from payment_service.provider import ProviderAnswer
from payment_service.provider_figures import ProviderFigures
from payment_service.tests.harness import PaymentHarness, command


def counted(figures: ProviderFigures) -> dict[tuple[str, str], float]:
    return {
        (sample.labels["kind"], sample.labels["outcome"]): sample.value
        for metric in figures.answers.collect()
        for sample in metric.samples
        if sample.name == "clerk_provider_answers_total"
    }


@pytest.mark.parametrize(("token", "outcome"), [("tok_ok", "approved"), ("tok_declined", "declined")])
def test_an_answer_that_was_taken_in_is_counted(harness: PaymentHarness, token: str, outcome: str) -> None:
    harness.send(command("AuthorizePayment"))
    harness.pays(token)
    harness.settle()
    assert counted(harness.gateway.figures) == {("authorize", outcome): 1}


def test_a_key_that_is_none_of_ours_is_another_kind() -> None:
    figures = ProviderFigures()
    figures.note([ProviderAnswer(key, "no_answer") for key in ("", "x", "clk_1/payment/void/1", "a/b/<script>/1")])
    assert counted(figures) == {("other", "no_answer"): 3, ("void", "no_answer"): 1}
