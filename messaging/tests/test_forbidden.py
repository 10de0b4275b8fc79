"""A routing key that the broker forbids holds up no others (security S13)."""

from __future__ import annotations

from messaging.broker import OutboundMessage
from messaging.rabbitmq.forbidden import LASTS, ForbiddenKeys, key_of
from messaging.tests.brokers import outbound_messages

GOOD, BAD, OTHER = (outbound_messages(1, f"shop.{name}.v1", first) for first, name in enumerate(("A", "B", "C")))
ALL: list[OutboundMessage] = [*GOOD, *BAD, *OTHER]


def test_while_nothing_was_refused_all_goes_out_together() -> None:
    keys = ForbiddenKeys()
    assert keys.portions(ALL, 0.0) == [ALL]
    assert keys.trouble(ALL, 0.0) is None


def test_after_a_refusal_each_key_that_was_open_is_tried_alone_behind_the_others() -> None:
    keys = ForbiddenKeys()
    keys.closed_with(map(key_of, [*GOOD, *BAD]), 0.0)
    assert keys.portions([*GOOD, *BAD, *OTHER, *GOOD], 0.0) == [OTHER, [*GOOD, *GOOD], BAD]
    keys.taken(GOOD)
    assert keys.portions(ALL, 0.0) == [[*GOOD, *OTHER], BAD]
    assert keys.trouble(ALL, 0.0) is None


def test_the_one_that_is_refused_alone_is_left_out_for_a_while_and_then_tried_again() -> None:
    keys = ForbiddenKeys()
    keys.closed_with(map(key_of, BAD), 5.0)
    assert keys.portions(ALL, 5.1) == [[*GOOD, *OTHER]]
    assert keys.portions(BAD, 5.1) == []
    assert keys.trouble(ALL, 5.1) == "no right to write shop.B.v1 (clerk broker permissions)"
    assert keys.portions(ALL, 5.0 + LASTS) == [[*GOOD, *OTHER], BAD]
    keys.taken(BAD)
    assert keys.portions(ALL, 5.0 + LASTS) == [ALL]
