"""What one sender may leave among the parked messages (B1, docs/decisions/062)."""

from __future__ import annotations

from domain.times import hours
from messaging.parked import KEPT_BYTES, ParkedMessage
from messaging.parked_bound import ROW, TOLD, ParkedBound

NOW = 1_764_000_000_000


def message(number: int, *, sender: str = "payment", size: int = 24, known_as: str | None = None) -> ParkedMessage:
    body = b"%010d" % number + b"x" * (size - 10)
    return ParkedMessage("risk", "risk.commands.v1", "no JSON", None, body, sender=sender, known_as=known_as)


def test_B1_up_to_the_bound_each_is_kept_as_it_is_then_one_line_counts() -> None:
    bound = ParkedBound(per_hour=3 * (ROW + 24))
    messages = [message(number) for number in range(6)]
    found = bound.bounded(messages, NOW)
    assert found[:3] == messages[:3]
    assert len({each.id for each in found[3:]}) == 1 and found[3].id not in {each.id for each in messages}
    assert all(each.body == b"" and each.size == 24 and each.reason.endswith("no JSON") for each in found[3:])


def test_B1_after_an_hour_the_sender_has_room_again_and_another_line() -> None:
    bound = ParkedBound(per_hour=ROW + 24)
    _, line = bound.bounded([message(1), message(2)], NOW)
    assert bound.bounded([message(3)], NOW + hours(1) - 1)[0].id == line.id
    kept, another = bound.bounded([message(4), message(5)], NOW + hours(1))
    assert kept == message(4) and another.id != line.id


def test_B1_of_a_large_one_only_what_is_kept_counts() -> None:
    bound = ParkedBound(per_hour=2 * (ROW + KEPT_BYTES))
    large = [message(number, size=10 * KEPT_BYTES) for number in range(3)]
    assert [each.body == b"" for each in bound.bounded(large, NOW)] == [False, False, True]


def test_B1_one_sender_takes_no_room_of_another() -> None:
    bound = ParkedBound(per_hour=ROW + 24)
    bound.bounded([message(1), message(2)], NOW)
    assert bound.bounded([message(3, sender="shop_manager")], NOW) == [message(3, sender="shop_manager")]


def test_B1_a_service_that_invents_senders_gets_no_more_room_at_shop_manager() -> None:
    bound = ParkedBound(per_hour=ROW + 24)
    told = [message(number, sender=f"user{number}", known_as=f"prk_{number}") for number in range(TOLD + 3)]
    found = bound.bounded(told, NOW)
    assert found[:TOLD] == told[:TOLD]
    assert len({each.id for each in found[TOLD:]}) == 1
