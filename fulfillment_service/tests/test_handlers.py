"""Fulfillment's handlers: commands in, replies out, and what becomes of the stock."""

from __future__ import annotations

from threading import Barrier, Thread

import pytest

from domain.messages import Reply
from fulfillment_service.tests.commands import (
    AT_ONCE,
    allocates,
    asks_to_ship,
    delivers,
    releases,
    replies_to,
    statuses,
    stock_now,
)
from messaging.database import Database


def test_allocated_goods_are_reserved(database: Database) -> None:
    (reply,) = replies_to(database, allocates("clk_1", {"SQUEAKY-BONE": 2, "SQUEAKY-DUCK": 1}))
    assert reply.outcome == "done"
    assert reply.document["shipment"] == {"status": "allocated", "carrier": None, "tracking": None}
    assert reply.document["metadata"] == {"left": "alone"}
    assert stock_now(database) == {"SQUEAKY-BONE": (8, 2, 0), "SQUEAKY-DUCK": (2, 1, 0)}


def test_when_one_article_is_short_nothing_is_reserved(database: Database) -> None:
    before = stock_now(database)
    (reply,) = replies_to(database, allocates("clk_1", {"SQUEAKY-BONE": 2, "SQUEAKY-DUCK": 4}))
    assert reply.outcome == "refused"
    assert reply.refusal
    assert reply.refusal.code == "out_of_stock"
    assert "SQUEAKY-DUCK" in reply.refusal.detail
    assert stock_now(database) == before
    assert statuses(database, ["clk_1"]) == {}


def test_one_batch_cannot_oversell(database: Database) -> None:
    replies = replies_to(database, *(allocates(f"clk_{number}", {"SQUEAKY-DUCK": 2}) for number in range(3)))
    assert [reply.outcome for reply in replies] == ["done", "refused", "refused"]
    assert stock_now(database)["SQUEAKY-DUCK"] == (1, 2, 0)


def test_two_batches_at_once_cannot_oversell(any_database: Database) -> None:
    ready = Barrier(2)
    replies: list[Reply] = []

    def sell(name: str) -> None:
        ready.wait(5)
        for number in range(8):
            replies.extend(replies_to(any_database, allocates(f"clk_{name}_{number}", {"SQUEAKY-BONE": 1})))

    sellers = [Thread(target=sell, args=(name,)) for name in "ab"]
    for seller in sellers:
        seller.start()
    for seller in sellers:
        seller.join(20)
    assert sorted(reply.outcome for reply in replies) == ["done"] * 10 + ["refused"] * 6
    assert stock_now(any_database)["SQUEAKY-BONE"] == (0, 10, 0)


def test_an_allocation_and_a_release_at_once_lose_nothing(any_database: Database) -> None:
    replies_to(any_database, *(allocates(f"clk_old_{number}", {"SQUEAKY-BONE": 1}) for number in range(5)))
    ready = Barrier(2)

    def sell() -> None:
        ready.wait(5)
        for number in range(5):
            replies_to(any_database, allocates(f"clk_new_{number}", {"SQUEAKY-DUCK": 1, "SQUEAKY-BONE": 1}))

    def give_back() -> None:
        ready.wait(5)
        for number in range(5):
            replies_to(any_database, releases(f"clk_old_{number}", claims={"SQUEAKY-DUCK": 1}))

    hands = [Thread(target=sell), Thread(target=give_back)]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join(20)
    assert stock_now(any_database) == {"SQUEAKY-BONE": (7, 3, 0), "SQUEAKY-DUCK": (0, 3, 0)}


def test_released_goods_are_on_hand_again_and_the_shipment_is_kept_for_the_books(database: Database) -> None:
    before = stock_now(database)
    replies_to(database, allocates("clk_1", {"SQUEAKY-BONE": 2}))
    (reply,) = replies_to(database, releases("clk_1"))
    assert reply.outcome == "undone"
    assert reply.document["shipment"]["status"] == "released"
    assert stock_now(database) == before
    assert statuses(database, ["clk_1"]) == {"clk_1": "released"}


def test_U4_an_undo_gives_back_what_was_recorded_not_what_the_document_claims(database: Database) -> None:
    before = stock_now(database)
    replies_to(database, allocates("clk_1", {"SQUEAKY-BONE": 2}))
    replies_to(database, releases("clk_1", claims={"SQUEAKY-DUCK": 3}))
    assert stock_now(database) == before


def test_undo_before_do_leaves_nothing_and_the_late_do_is_refused(database: Database) -> None:
    before = stock_now(database)
    (undone,) = replies_to(database, releases("clk_1"))
    (late,) = replies_to(database, allocates("clk_1", {"SQUEAKY-BONE": 2}))
    assert (undone.outcome, undone.document["shipment"]["status"]) == ("undone", "none")
    assert late.refusal
    assert late.refusal.code == "called_off"
    assert stock_now(database) == before
    assert statuses(database, ["clk_1"]) == {}


def test_do_and_undo_in_one_batch_have_no_effect_on_the_stock(database: Database) -> None:
    before = stock_now(database)
    replies_to(database, allocates("clk_1", {"SQUEAKY-BONE": 2}), releases("clk_1"), releases("clk_1"))
    assert stock_now(database) == before


def test_shipping_waits_for_the_warehouse(database: Database) -> None:
    replies_to(database, allocates("clk_1", {"SQUEAKY-BONE": 2}))
    assert replies_to(database, asks_to_ship("clk_1")) == []
    assert statuses(database, ["clk_1"]) == {"clk_1": "requested"}
    assert stock_now(database)["SQUEAKY-BONE"] == (8, 2, 0)


def test_a_warehouse_without_a_pause_ships_in_the_moment_of_being_asked(database: Database) -> None:
    replies_to(database, allocates("clk_1", {"SQUEAKY-BONE": 2}))
    (reply,) = replies_to(database, asks_to_ship("clk_1"), settings=AT_ONCE)
    assert reply.document["shipment"]["status"] == "shipped"
    assert stock_now(database)["SQUEAKY-BONE"] == (8, 0, 2)


def test_nothing_can_be_asked_for_that_was_not_allocated(database: Database) -> None:
    with pytest.raises(ValueError, match="nothing was allocated"):
        replies_to(database, asks_to_ship("clk_1"))


def test_the_undo_of_goods_that_have_left_fails_with_the_reason(database: Database) -> None:
    replies_to(database, allocates("clk_1", {"SQUEAKY-BONE": 2}))
    replies_to(database, asks_to_ship("clk_1"), settings=AT_ONCE)
    (reply,) = replies_to(database, releases("clk_1"))
    assert reply.outcome == "refused"
    assert reply.refusal
    assert reply.refusal.code == "already_shipped"
    assert stock_now(database)["SQUEAKY-BONE"] == (8, 0, 2)


def test_downloads_are_delivered_at_once_and_touch_no_stock(database: Database) -> None:
    before = stock_now(database)
    (reply,) = replies_to(database, delivers("clk_1", {"BARK-ALBUM": 1}))
    assert reply.outcome == "done"
    assert reply.document["shipment"]["status"] == "delivered"
    assert stock_now(database) == before


@pytest.mark.parametrize("items", [None, [], [{"sku": "SQUEAKY-BONE"}], [{"sku": "SQUEAKY-BONE", "quantity": 0}], [7]])
def test_an_order_that_is_none_is_an_error_not_a_refusal(database: Database, items: object) -> None:
    command = allocates("clk_1", {"SQUEAKY-BONE": 1})
    command.document["order"]["items"] = items
    with pytest.raises(ValueError, match=r"document\.order\.items"):
        replies_to(database, command)


def test_a_batch_takes_as_many_statements_as_a_single_command(database: Database) -> None:
    counts: list[int] = []
    for size in (1, 5):
        before = database.statements
        sessions = [f"clk_{size}_{number}" for number in range(size)]
        replies_to(database, *(allocates(session, {"SQUEAKY-BONE": 1}) for session in sessions))
        replies_to(database, *(asks_to_ship(session) for session in sessions))
        replies_to(database, *(releases(session) for session in sessions))
        counts.append(database.statements - before)
    assert counts[0] == counts[1]
