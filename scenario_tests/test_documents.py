"""The Clerk document travels whole: unknown fields survive, foreign edits are seen and never merged."""

from __future__ import annotations

import pytest

from scenario_tests.shop import PRICE, Shop
from scenario_tests.traffic import Message

COMMANDS = ("StartShopping", "ReserveCredit", "AuthorizePayment", "AllocateStock", "CapturePayment", "SettleCredit")
UNKNOWN = {"paw": ["left", {"front": True}], "größe": 1.5, "nothing": None}
SECTION = {
    "StartShopping": "order",
    "ReserveCredit": "credit",
    "AuthorizePayment": "payment",
    "AllocateStock": "shipment",
    "CapturePayment": "payment",
    "SettleCredit": "credit",
}


@pytest.mark.parametrize("command", COMMANDS)
def test_unknown_fields_survive_the_round_trip_through_every_service(shop: Shop, command: str) -> None:
    # Given a document with a section, and a field in each known section, that nobody here knows
    def from_the_future(message: Message) -> Message:
        document = {name: _with_unknown(content) for name, content in message["document"].items()}
        document[SECTION[command]] = _with_unknown(document.get(SECTION[command]) or {})
        return {**message, "document": {**document, "gift_wrap": UNKNOWN}}

    shop.stocks("SQUEAKY-BONE", 5)
    ada = shop.customer("ada", token="tok_ok")
    with shop.changes_on_the_way(command, "command", from_the_future) as traffic:
        clerk = ada.orders({"SQUEAKY-BONE": 1}).gets_shipped().becomes("completed")
        answer = traffic.wait_seen("answer", command, clerk.id)[0]["document"]
    # Then the service sent all of it back
    assert answer.keys() >= {"clerk", SECTION[command], "gift_wrap"}
    assert answer["gift_wrap"] == UNKNOWN
    assert all(content["from_the_future"] == UNKNOWN for name, content in answer.items() if name != "gift_wrap")
    # And of the service's own section ShopManager has kept it
    assert clerk.document()[SECTION[command]]["from_the_future"] == UNKNOWN


def _with_unknown(content: object) -> object:
    return {**content, "from_the_future": UNKNOWN} if isinstance(content, dict) else content


def test_metadata_of_the_shop_comes_back_as_it_was_given(shop: Shop) -> None:
    shop.stocks("SQUEAKY-BONE", 5)
    metadata = {"campaign": "bark-friday", "größe": "Dackel"}
    ada = shop.customer("ada", token="tok_ok")
    clerk = ada.orders({"SQUEAKY-BONE": 1}, metadata=metadata, client_reference="web-88213").gets_shipped()
    clerk.becomes("completed")
    assert clerk.session()["metadata"] == metadata
    assert clerk.session()["client_reference"] == "web-88213"
    assert clerk.document()["metadata"] == metadata


def test_a_foreign_edit_is_recorded_and_never_merged(shop: Shop) -> None:
    # Given a risk service that meddles with the order and the payment
    def meddling(message: Message) -> Message:
        document = message["document"]
        order = {**document["order"], "total": 1, "status": "for free"}
        return {**message, "document": {**document, "order": order, "payment": {"status": "captured", "amount": 1}}}

    shop.stocks("SQUEAKY-BONE", 5)
    ada = shop.customer("ada")
    with shop.changes_on_the_way("ReserveCredit", "answer", meddling):
        clerk = ada.orders({"SQUEAKY-BONE": 2}).waits_for("pay")
    # Then only its own section was taken
    document = clerk.document()
    assert document["order"]["total"] == 2 * PRICE
    assert document["order"]["status"] == "placed"
    assert document["credit"]["status"] == "reserved"
    assert clerk.session()["payment_status"] == "none"
    # And everybody can see who did what
    edits = [line for line in clerk.timeline() if line["what"] == "foreign_edit"]
    assert [(line["step"], line["data"]["sections"]) for line in edits] == [("credit", ["order", "payment"])]
    clerk.pays().gets_shipped().becomes("completed")
    assert clerk.session()["total"] == 2 * PRICE


def test_U4_an_undo_uses_what_the_service_recorded_not_what_the_document_claims(shop: Shop) -> None:
    # Given a document that claims less was reserved
    def claims_less(message: Message) -> Message:
        document = {**message["document"], "credit": {"status": "reserved", "amount": 1}}
        return {**message, "document": {**document, "order": {"status": "placed", "items": [], "total": 1}}}

    shop.stocks("SQUEAKY-BONE", 5)
    ada = shop.customer("ada")
    with shop.books_stay_as_they_are(), shop.changes_on_the_way("ReleaseCredit", "command", claims_less):
        clerk = ada.orders({"SQUEAKY-BONE": 2}).waits_for("pay").cancels().becomes("canceled")
    # Then all of it was given back (U4)
    assert shop.credit_of("ada").reserved == 0
    assert clerk.document()["credit"]["amount"] == 2 * PRICE


def test_a_command_of_a_version_nobody_knows_is_stuck_and_nothing_crashes(shop: Shop) -> None:
    # Given a command that arrives in a version from the future
    def newer(message: Message) -> Message:
        return {**message, "version": 99}

    def as_asked(message: Message) -> Message:
        return {**message, "version": 1}

    shop.stocks("SQUEAKY-BONE", 5)
    ada = shop.customer("ada", token="tok_ok")
    with (
        shop.changes_on_the_way("ReserveCredit", "command", newer),
        shop.changes_on_the_way("ReserveCredit", "answer", as_asked),
    ):
        clerk = ada.orders({"SQUEAKY-BONE": 1}, expires_in=60).is_stuck("unsupported")
    # Then it goes on by itself once the service understands it
    clerk.gets_shipped().becomes("completed")
    clerk.is_not_stuck()
