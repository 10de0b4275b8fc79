"""Which messages count as confirmed, whatever the order in which the broker answers."""

from __future__ import annotations

import pytest

from messaging.rabbitmq.confirms import PendingConfirms, PublishBatch, QueueRefusals
from messaging.tests.brokers import outbound_messages


def sent(count: int) -> tuple[PendingConfirms, PublishBatch]:
    """`count` messages, numbered like their delivery tags, on their way."""
    confirms, batch = PendingConfirms(), PublishBatch(outbound_messages(count))
    for message in batch.outbound:
        confirms.sent(batch, message)
    return confirms, batch


def test_confirms_may_come_in_any_order() -> None:
    confirms, batch = sent(3)
    for tag in (3, 1):
        confirms.answered(tag, multiple=False, taken=True)
    assert batch.confirmed() == {1, 3}
    assert not batch.settled.is_set()
    confirms.answered(2, multiple=False, taken=True)
    assert batch.confirmed() == {1, 2, 3}
    assert batch.settled.is_set()


def test_a_multiple_confirm_stands_for_all_open_ones_up_to_it_and_no_later_ones() -> None:
    confirms, batch = sent(5)
    confirms.answered(2, multiple=False, taken=True)
    confirms.answered(4, multiple=True, taken=True)
    assert batch.confirmed() == {1, 2, 3, 4}
    assert not batch.settled.is_set()


def test_a_refused_message_is_not_confirmed_and_the_line_says_so() -> None:
    confirms, batch = sent(2)
    confirms.answered(1, multiple=False, taken=False)
    confirms.answered(2, multiple=False, taken=True)
    assert batch.confirmed() == {2}
    assert batch.trouble() == "1 of 2 parcels unsent: 1 refused by the broker (queue full?)"


def test_a_returned_message_is_not_confirmed_though_an_ack_follows() -> None:
    confirms, batch = sent(2)
    confirms.returned(1, "shop.StartShopping.v1")
    confirms.answered(2, multiple=True, taken=True)
    assert batch.confirmed() == {2}
    assert batch.settled.is_set()
    assert batch.trouble() == "1 of 2 parcels unsent: 1 unroutable, no queue takes shop.StartShopping.v1"


def test_messages_of_two_batches_are_told_apart() -> None:
    confirms, first = sent(2)
    second = PublishBatch(outbound_messages(1, first=9))
    confirms.sent(second, second.outbound[0])
    confirms.answered(3, multiple=False, taken=True)
    assert (first.confirmed(), second.confirmed()) == (set(), {9})


def test_an_answer_to_something_no_longer_open_changes_nothing() -> None:
    confirms, batch = sent(1)
    confirms.answered(1, multiple=False, taken=True)
    confirms.answered(1, multiple=False, taken=False)
    confirms.answered(8, multiple=True, taken=False)
    assert batch.confirmed() == {1}
    assert batch.trouble() is None


def test_when_the_channel_is_gone_nobody_waits_any_longer() -> None:
    confirms, batch = sent(2)
    confirms.answered(1, multiple=False, taken=True)
    confirms.abandon()
    assert batch.settled.is_set()
    assert batch.confirmed() == {1}
    assert batch.trouble() == "1 of 2 parcels unsent: 1 not confirmed in time"


@pytest.mark.parametrize("count", [0, 1])
def test_an_empty_batch_is_settled_from_the_start(count: int) -> None:
    assert PublishBatch(outbound_messages(count)).settled.is_set() == (count == 0)


def test_a_receiver_that_refuses_everything_for_the_limit_has_refused_too_long() -> None:
    refusals, shop = QueueRefusals(10.0), outbound_messages(2)
    assert not refusals.too_long(shop[:1], taken=False, now=100.0)
    assert not refusals.too_long(shop[1:], taken=False, now=109.9)
    assert refusals.too_long(shop, taken=False, now=110.0)


def test_one_that_it_takes_begins_the_limit_anew() -> None:
    refusals, shop = QueueRefusals(10.0), outbound_messages(1)
    refusals.too_long(shop, taken=False, now=100.0)
    refusals.too_long(shop, taken=True, now=109.0)
    assert not refusals.too_long(shop, taken=False, now=111.0)
    assert refusals.too_long(shop, taken=False, now=121.0)


def test_what_another_receiver_takes_does_not_hide_one_that_refuses() -> None:
    refusals, shop, risk = QueueRefusals(10.0), outbound_messages(1), outbound_messages(1, "risk.ReserveCredit.v1")
    refusals.too_long(shop, taken=False, now=100.0)
    assert not refusals.too_long(risk, taken=True, now=105.0)
    assert refusals.too_long(risk, taken=True, now=110.0)
