"""The provider's events: only signed ones, only fresh ones, and each key's answer once."""

from __future__ import annotations

import pytest

from payment_service.provider_webhooks import (
    answer_of,
    fits,
    is_genuine,
    sign,
)
from payment_service.tests.harness import CLERK, PaymentHarness, command

NOW = 1_764_000_000_000
BODY = b'{"id":"evt_1"}'
GOOD = sign("s3cret", BODY, NOW)


def test_a_notice_signed_with_our_secret_is_genuine_for_five_minutes() -> None:
    assert is_genuine("s3cret", GOOD, BODY, NOW)
    assert is_genuine("s3cret", GOOD, BODY, NOW + 300_000)
    assert not is_genuine("s3cret", GOOD, BODY, NOW + 301_000)
    assert not is_genuine("s3cret", GOOD, BODY, NOW - 301_000)


@pytest.mark.parametrize("header", ["", "t=1", GOOD.upper(), GOOD + ",v1=00", GOOD[:-1], "t=x,v1=y", GOOD + "\n"])
def test_a_header_of_another_form_is_not_genuine(header: str) -> None:
    assert not is_genuine("s3cret", header, BODY, NOW)


def test_another_body_secret_or_moment_is_not_genuine() -> None:
    assert not is_genuine("s3cret", GOOD, BODY + b" ", NOW)
    assert not is_genuine("other", GOOD, BODY, NOW)
    assert not is_genuine("s3cret", GOOD.replace("t=1764000000", "t=1764000001"), BODY, NOW)


def test_without_a_secret_nothing_is_genuine() -> None:
    assert not is_genuine("", sign("", BODY, NOW), BODY, NOW)


def test_a_notice_must_speak_of_the_kind_of_call_its_key_names() -> None:
    key = f"{CLERK}/payment/authorize/1"
    assert fits("payment.authorized", key)
    assert fits("payment.declined", key)
    assert not fits("payment.captured", key)
    assert not fits("payment.captured", "some other key")


def test_a_notice_answers_the_call_and_its_replay_changes_nothing(harness: PaymentHarness) -> None:
    harness.provider.deaf = True
    harness.send(command("AuthorizePayment", token="tok_ok"))
    notice = answer_of("payment.authorized", f"{CLERK}/payment/authorize/1", None, "", None)

    harness.gateway.take_in([notice], event="evt_1")
    [reply] = harness.settle()
    harness.gateway.take_in([notice], event="evt_1")
    harness.gateway.take_in([notice], event="evt_2")

    assert reply.outcome == "done"
    assert harness.settle() == []
    assert harness.trail() == ["authorized"]


def test_a_notice_about_a_key_that_is_not_ours_changes_nothing(harness: PaymentHarness) -> None:
    harness.gateway.take_in([answer_of("payment.captured", "clk_x/payment/capture/9", None, "", None)], event="evt_1")

    assert harness.settle() == []


@pytest.mark.parametrize("amount", [0, 1, 2589, 2591])
def test_a_yes_to_another_amount_than_was_asked_for_is_no_answer(harness: PaymentHarness, amount: int) -> None:
    harness.provider.deaf = True
    harness.send(command("AuthorizePayment", token="tok_ok"))
    key = f"{CLERK}/payment/authorize/1"

    harness.gateway.take_in([answer_of("payment.authorized", key, None, "", amount)], event="evt_1")

    assert harness.settle() == []
    assert harness.trail() == []
    harness.gateway.take_in([answer_of("payment.authorized", key, None, "", 2590)], event="evt_2")
    [reply] = harness.settle()
    assert reply.outcome == "done"
    assert harness.trail() == ["authorized"]
