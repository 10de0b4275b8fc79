"""Acknowledging cheaply without ever acknowledging what somebody still works on."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from messaging.broker import Delivery
from messaging.rabbitmq.deliveries import DeliveryBuffer, UnacknowledgedTags


def unacknowledged(count: int) -> UnacknowledgedTags:
    tags = UnacknowledgedTags()
    for tag in range(1, count + 1):
        tags.add(tag)
    return tags


def test_the_oldest_run_is_acknowledged_at_once_and_the_others_one_by_one() -> None:
    assert unacknowledged(6).acknowledge([2, 1, 3, 5]) == [(3, True), (5, False)]


def test_nothing_older_is_swept_along_by_a_multiple() -> None:
    assert unacknowledged(3).acknowledge([2, 3]) == [(2, False), (3, False)]


def test_a_tag_that_is_not_open_is_left_out() -> None:
    tags = unacknowledged(2)
    assert tags.acknowledge([1, 7]) == [(1, True)]
    assert tags.acknowledge([1]) == []


@given(st.sets(st.integers(1, 20)), st.lists(st.sets(st.integers(1, 25)), max_size=5))
def test_the_broker_forgets_exactly_what_was_acknowledged(open_tags: set[int], asked: list[set[int]]) -> None:
    tags = UnacknowledgedTags()
    for tag in sorted(open_tags):
        tags.add(tag)
    at_the_broker = set(open_tags)
    for meant in asked:
        expected = at_the_broker - meant
        for tag, multiple in tags.acknowledge(meant):
            assert tag in at_the_broker, "the broker closes the channel on an unknown tag"
            at_the_broker -= {one for one in at_the_broker if one <= tag} if multiple else {tag}
        assert at_the_broker == expected


def test_what_was_dropped_is_not_given_out_any_more() -> None:
    buffer = DeliveryBuffer()
    buffer.put(Delivery(b"[]", "shop.A.v1", False, (1, 1)))
    buffer.clear()
    assert buffer.take(1, 0) == []


def test_a_closed_buffer_makes_nobody_wait() -> None:
    buffer = DeliveryBuffer()
    buffer.close()
    assert buffer.take(1, 3600) == []
