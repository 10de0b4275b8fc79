"""The shop's handlers: commands in, replies out, and what is kept."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from messaging.database import Database
from shop_service.queries import read_session
from shop_service.store import products
from shop_service.tests.commands import business_rows, cancels, replies_to, starts


def reprice(database: Database, sku: str, **changes: object) -> None:
    with database.begin() as tx:
        tx.execute(update(products).where(products.c.sku == sku).values(**changes))


def test_a_customer_who_plays_by_hand_gets_a_cart_and_no_answer_yet(database: Database) -> None:
    assert replies_to(database, starts("clk_1")) == []
    assert len(business_rows(database)["carts"]) == 1


def test_an_order_brought_along_is_placed_at_once(database: Database) -> None:
    (reply,) = replies_to(database, starts("clk_1", {"SQUEAKY-BONE": 2}))
    assert reply.outcome == "done"
    assert reply.document["order"]["status"] == "placed"
    assert reply.document["order"]["total"] == 2590
    assert reply.document["metadata"] == {"left": "alone"}
    assert business_rows(database)["carts"] == []


def test_D4_prices_are_the_catalogues_of_the_moment(database: Database) -> None:
    reprice(database, "SQUEAKY-BONE", unit_amount=1500)
    command = starts("clk_1", {"SQUEAKY-BONE": 1})
    command.document["order"] = {"total": 1, "items": [{"sku": "SQUEAKY-BONE", "unit_amount": 1}]}
    (reply,) = replies_to(database, command)
    assert reply.document["order"]["total"] == 1500


@pytest.mark.parametrize(
    ("brings", "code"),
    [
        ({}, "order_empty"),
        ({"BARKING-CAT": 1}, "article_unknown"),
        ({"BARK-ALBUM": 1}, "article_unknown"),
        ({"SQUEAKY-BONE": 1000}, "quantity_out_of_range"),
        ({"SQUEAKY-BONE": 0}, "quantity_out_of_range"),
    ],
)
def test_an_order_that_cannot_be_is_refused_and_leaves_nothing(
    database: Database, brings: dict[str, int], code: str
) -> None:
    before = business_rows(database)
    (reply,) = replies_to(database, starts("clk_1", brings))
    assert reply.outcome == "refused"
    assert reply.refusal
    assert reply.refusal.code == code
    assert business_rows(database) == before


def test_a_mixed_shop_sells_both_and_each_line_says_what_it_is(database: Database) -> None:
    (reply,) = replies_to(database, starts("clk_1", {"BARK-ALBUM": 1, "SQUEAKY-BONE": 2}, shop_type="mixed"))
    assert {line["sku"]: line["kind"] for line in reply.document["order"]["items"]} == {
        "BARK-ALBUM": "digital",
        "SQUEAKY-BONE": "physical",
    }


def test_a_digital_shop_sells_downloads(database: Database) -> None:
    (reply,) = replies_to(database, starts("clk_1", {"BARK-ALBUM": 1}, shop_type="digital"))
    assert reply.outcome == "done"


def test_the_same_command_twice_is_one_order_at_the_first_price(database: Database) -> None:
    (first,) = replies_to(database, starts("clk_1", {"SQUEAKY-BONE": 1}))
    rows = business_rows(database)["orders"]
    reprice(database, "SQUEAKY-BONE", unit_amount=1)
    (second,) = replies_to(database, starts("clk_1", {"SQUEAKY-BONE": 1}))
    assert second.document["order"] == first.document["order"]
    assert business_rows(database)["orders"] == rows


@pytest.mark.parametrize("brings", [None, {"SQUEAKY-BONE": 2}])
def test_a_canceled_session_leaves_the_business_tables_as_before(
    database: Database, brings: dict[str, int] | None
) -> None:
    before = business_rows(database)
    replies_to(database, starts("clk_1", brings))
    (reply,) = replies_to(database, cancels("clk_1"))
    assert reply.outcome == "undone"
    assert reply.document["order"]["status"] == "canceled"
    assert business_rows(database) == before


def test_undo_before_do_leaves_nothing_and_the_late_do_is_refused(database: Database) -> None:
    before = business_rows(database)
    (undone,) = replies_to(database, cancels("clk_1"))
    (late,) = replies_to(database, starts("clk_1", {"SQUEAKY-BONE": 2}))
    assert (undone.outcome, undone.document["order"]["status"]) == ("undone", "none")
    assert late.outcome == "refused"
    assert late.refusal
    assert late.refusal.code == "called_off"
    assert business_rows(database) == before


def test_do_and_undo_of_one_session_in_one_batch_leave_nothing(database: Database) -> None:
    before = business_rows(database)
    replies = replies_to(database, starts("clk_1", {"SQUEAKY-BONE": 2}), cancels("clk_1"), cancels("clk_1"))
    assert [reply.outcome for reply in replies] == ["done", "undone", "undone"]
    assert business_rows(database) == before


def test_an_undo_takes_only_its_own_session_away(database: Database) -> None:
    replies_to(database, starts("clk_1", {"SQUEAKY-BONE": 2}))
    before = business_rows(database)
    replies_to(database, starts("clk_2", {"SQUEAKY-BONE": 3}), starts("clk_3"))
    replies_to(database, cancels("clk_2"), cancels("clk_3"))
    assert business_rows(database) == before


@pytest.mark.parametrize("how", ["refused", "canceled", "called off"])
def test_whose_session_it_was_is_remembered_after_its_end(database: Database, how: str) -> None:
    if how == "refused":
        replies_to(database, starts("clk_1", {"BARKING-CAT": 1}))
    elif how == "canceled":
        replies_to(database, starts("clk_1"))
        replies_to(database, cancels("clk_1"))
    else:
        replies_to(database, cancels("clk_1"))
    with database.read() as tx:
        kept = read_session(tx, "clk_1")
    assert kept
    assert kept.ended


@pytest.mark.parametrize("field", ["secret_sha256", "currency", "shop_type"])
def test_a_document_without_what_the_shop_needs_is_an_error_that_names_the_field(
    database: Database, field: str
) -> None:
    command = starts("clk_1")
    del command.document["clerk"][field]
    with pytest.raises(ValueError, match=field):
        replies_to(database, command)


def test_a_batch_takes_as_many_statements_as_a_single_command(database: Database) -> None:
    counts: list[int] = []
    for number, size in enumerate((1, 30)):
        before = database.statements
        sessions = [f"clk_{number}_{each}" for each in range(size)]
        replies_to(database, *(starts(session, {"SQUEAKY-BONE": 1}) for session in sessions))
        replies_to(database, *(cancels(session) for session in sessions))
        counts.append(database.statements - before)
    assert counts[0] == counts[1]
