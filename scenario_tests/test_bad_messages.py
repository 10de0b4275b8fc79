"""Bad messages: parked once with reason and bytes, and the queue behind them moves (semantics B1, B2)."""

from __future__ import annotations

import json

import pytest

from scenario_tests.bad_messages import BAD, GHOST, command, made_unique, parked_id
from scenario_tests.shop import Shop
from scenario_tests.traffic import Message
from scenario_tests.waiting import until


@pytest.mark.parametrize("service", ["shop_manager", "shop", "risk", "payment", "fulfillment"])
def test_every_bad_message_is_parked_once_and_the_queue_moves(shop: Shop, service: str) -> None:
    # Given one of each on the queue, twice, and an order behind them
    shop.stocks("SQUEAKY-BONE", 5)
    own = {what: made_unique(body, shop.suffix) for what, body in BAD.items()}
    for body in [*own.values(), *own.values()]:
        shop.puts_on_queue(service, body)
    clerk = shop.customer("ada", token="tok_ok").orders({"SQUEAKY-BONE": 1})
    # Then the order goes through
    clerk.gets_shipped().becomes("completed")
    # And each is parked once, with its reason
    expected = {parked_id(service, body) for body in own.values()}
    until(lambda: expected <= {each["id"] for each in shop.parked()}, lambda: missing(shop, service, own))
    ids = [each["id"] for each in shop.parked()]
    assert len(ids) == len(set(ids))
    assert all(each["reason"] for each in shop.parked())


def missing(shop: Shop, service: str, own: dict[str, bytes]) -> str:
    there = {each["id"] for each in shop.parked()}
    return f"not parked by {service}: {[what for what, body in own.items() if parked_id(service, body) not in there]}"


def test_the_bytes_of_a_parked_message_are_kept(shop: Shop) -> None:
    body = f"squeak {shop.suffix}".encode()
    shop.puts_on_queue("risk", body)
    until(lambda: body.decode() in {each["body"] for each in shop.parked()}, "the message is parked with its bytes")


def test_a_message_that_makes_the_handler_fail_is_parked_after_some_tries_and_holds_up_nobody(shop: Shop) -> None:
    # Given a command that can be read, but not be handled: its order has no total
    ghost = f"{GHOST}_{shop.suffix}"
    bad = command(clerk=ghost, id=f"{ghost}/credit/1/do", document={"clerk": {"id": ghost}, "order": {"total": "much"}})
    shop.puts_on_queue("risk", json.dumps([bad]).encode())
    # Then orders pass it
    shop.stocks("SQUEAKY-BONE", 5)
    shop.customer("ada", token="tok_ok").orders({"SQUEAKY-BONE": 1}).gets_shipped().becomes("completed")
    # And in the end it is parked with its reason
    until(lambda: bad["id"] in {each["message"] for each in shop.parked()}, "the message is parked")


def test_in_a_pack_of_many_only_the_bad_message_is_parked(shop: Shop) -> None:
    # Given an order whose command shares its pack with a bad one
    ghost = f"{GHOST}_{shop.suffix}"

    shop.stocks("SQUEAKY-BONE", 5)
    ada = shop.customer("ada", token="tok_ok")
    with shop.holds_back("ReserveCredit") as held:
        clerk = ada.orders({"SQUEAKY-BONE": 1})
        held.until_there(clerk.id)
        good = held.deliveries[0].messages
        bad = command(clerk=ghost, id=f"{ghost}/credit/1/do", attempt="first")
        shop.puts_on_queue("risk", json.dumps([bad, *good, bad]).encode())
        held.loses_everything()
    clerk.gets_shipped().becomes("completed")
    until(lambda: bad["id"] in {each["message"] for each in shop.parked()}, "the message is parked")


def test_an_answer_for_a_clerk_nobody_knows_is_parked(shop: Shop) -> None:
    shop.stocks("SQUEAKY-BONE", 5)
    ada = shop.customer("ada")
    with shop.harness.traffic() as traffic:
        clerk = ada.orders({"SQUEAKY-BONE": 1}).waits_for("pay")
        answer = traffic.wait_seen("answer", "ReserveCredit", clerk.id)[0]
    ghost = f"{GHOST}_{shop.suffix}"
    shop.puts_answer(answer, "risk", clerk=ghost, document={})
    until(
        lambda: f"{ghost}/credit/1/do/reply" in {each["message"] for each in shop.parked()},
        "the answer is parked",
    )
    clerk.cancels().becomes("canceled")


def test_a_command_that_a_service_parks_makes_its_clerk_stuck_until_it_is_mended(shop: Shop) -> None:
    # Given a command that loses its document on the way, every time
    def torn(message: Message) -> Message:
        return {**message, "document": None}

    shop.stocks("SQUEAKY-BONE", 5)
    ada = shop.customer("ada", token="tok_ok")
    with shop.changes_on_the_way("ReserveCredit", "command", torn):
        clerk = ada.orders({"SQUEAKY-BONE": 1}).is_stuck("parked_message")
    # Then it goes on by itself when the command comes through whole
    clerk.gets_shipped().becomes("completed")
    clerk.is_not_stuck()
