"""Risk's handlers: commands in, replies out, and what is kept."""

from __future__ import annotations

from threading import Barrier, Thread

import pytest

from domain.messages import Reply
from messaging.database import Database
from risk_service.clerk_document import account_of
from risk_service.store import read_standings, reservations
from risk_service.tests.commands import business_rows, releases, replies_to, reserves, settles


def reserved_of(database: Database, customer: str) -> int:
    with database.read() as tx:
        return read_standings(tx, [customer], "EUR").reserved.get((customer, "EUR"), 0)


def test_credit_is_reserved_in_the_documents_own_section_only(database: Database) -> None:
    (reply,) = replies_to(database, reserves("clk_1", 2_590))
    assert reply.outcome == "done"
    assert reply.document["credit"] == {"status": "reserved", "amount": 2_590}
    assert reply.document["metadata"] == {"left": "alone"}
    assert reserved_of(database, "ada") == 2_590


def test_too_much_is_refused_and_leaves_nothing(database: Database) -> None:
    before = business_rows(database)
    (reply,) = replies_to(database, reserves("clk_1", 10_001))
    assert reply.outcome == "refused"
    assert reply.refusal
    assert reply.refusal.code == "credit_exceeded"
    assert business_rows(database) == before


def test_S5_sessions_of_one_customer_share_the_limit_also_within_a_batch(database: Database) -> None:
    replies = replies_to(database, reserves("clk_1", 6_000), reserves("clk_2", 6_000), reserves("clk_3", 4_000))
    assert [reply.outcome for reply in replies] == ["done", "refused", "done"]
    assert reserved_of(database, "ada") == 10_000


def test_parallel_sessions_never_exceed_the_limit(any_database: Database) -> None:
    ready = Barrier(2)
    replies: list[Reply] = []

    def shop(name: str) -> None:
        ready.wait(5)
        for number in range(8):
            replies.extend(replies_to(any_database, reserves(f"clk_{name}_{number}", 1_000)))

    shoppers = [Thread(target=shop, args=(name,)) for name in "ab"]
    for shopper in shoppers:
        shopper.start()
    for shopper in shoppers:
        shopper.join(20)
    assert sorted(reply.outcome for reply in replies) == ["done"] * 10 + ["refused"] * 6
    assert reserved_of(any_database, "ada") == 10_000


def test_what_is_released_in_a_batch_is_free_for_the_next_command_of_it(database: Database) -> None:
    replies_to(database, reserves("clk_1", 10_000))
    replies = replies_to(database, releases("clk_1"), reserves("clk_2", 10_000))
    assert [reply.outcome for reply in replies] == ["undone", "done"]


def test_S5_each_guest_session_has_the_guest_limit_of_its_own(database: Database) -> None:
    commands = [reserves("clk_1", 5_000, None), reserves("clk_2", 5_000, None), reserves("clk_3", 5_001, None)]
    assert [reply.outcome for reply in replies_to(database, *commands)] == ["done", "done", "refused"]


def test_no_customer_can_be_called_like_a_guests_account(database: Database) -> None:
    replies_to(database, reserves("clk_1", 5_000, None))
    assert "/" in account_of(reserves("clk_1", 1, None)), "ids have no slash (domain.ids)"
    (reply,) = replies_to(database, reserves("clk_2", 9_000, "guest:clk_1"))
    assert reply.outcome == "done"


def test_a_released_reservation_leaves_the_tables_as_before(database: Database) -> None:
    before = business_rows(database)
    replies_to(database, reserves("clk_1", 2_590))
    (reply,) = replies_to(database, releases("clk_1"))
    assert reply.document["credit"] == {"status": "released", "amount": 2_590}
    assert business_rows(database) == before


def test_U4_an_undo_gives_back_what_was_recorded_not_what_the_document_claims(database: Database) -> None:
    replies_to(database, reserves("clk_1", 2_590), reserves("clk_2", 1_000))
    (reply,) = replies_to(database, releases("clk_1", total=999_999))
    assert reply.document["credit"]["amount"] == 2_590
    assert reserved_of(database, "ada") == 1_000


def test_undo_before_do_leaves_nothing_and_the_late_do_is_refused(database: Database) -> None:
    before = business_rows(database)
    (undone,) = replies_to(database, releases("clk_1"))
    (late,) = replies_to(database, reserves("clk_1", 1_000))
    assert (undone.outcome, undone.document["credit"]["status"]) == ("undone", "none")
    assert late.refusal
    assert late.refusal.code == "called_off"
    assert business_rows(database) == before


def test_the_same_command_twice_reserves_once_and_is_answered_the_same(database: Database) -> None:
    first, second = replies_to(database, reserves("clk_1", 6_000), reserves("clk_1", 6_000))
    (third,) = replies_to(database, reserves("clk_1", 6_000))
    assert first.document == second.document == third.document
    assert reserved_of(database, "ada") == 6_000


def test_a_settled_order_is_history_its_credit_free_and_the_score_wiser(database: Database) -> None:
    replies_to(database, reserves("clk_1", 2_590))
    (reply,) = replies_to(database, settles("clk_1"))
    assert reply.document["credit"] == {"status": "settled", "amount": 2_590}
    rows = business_rows(database)
    assert rows["reservations"] == []
    assert rows["settlements"] == [("clk_1", "ada", 2_590, "paid", "EUR")]
    assert rows["accounts"] == [("ada", 10_000, 0, 510, "EUR")]


def test_settling_twice_teaches_once(database: Database) -> None:
    replies_to(database, reserves("clk_1", 2_590))
    replies_to(database, settles("clk_1"), settles("clk_1"))
    rows = business_rows(database)
    replies_to(database, settles("clk_1"))
    assert business_rows(database) == rows
    assert rows["accounts"] == [("ada", 10_000, 0, 510, "EUR")]


def test_several_orders_settled_in_one_batch_all_teach(database: Database) -> None:
    replies_to(database, reserves("clk_1", 100), reserves("clk_2", 100))
    replies_to(database, settles("clk_1"), settles("clk_2"))
    assert business_rows(database)["accounts"] == [("ada", 10_000, 0, 520, "EUR")]


@pytest.mark.parametrize(
    ("payment", "lesson", "owed"),
    [({"status": "captured", "late": True}, "late", 0), ({"status": "lost"}, "lost", 2_590)],
)
def test_a_late_or_lost_invoice_is_remembered(
    database: Database, payment: dict[str, object], lesson: str, owed: int
) -> None:
    replies_to(database, reserves("clk_1", 2_590))
    replies_to(database, settles("clk_1", payment))
    assert business_rows(database)["settlements"] == [("clk_1", "ada", 2_590, lesson, "EUR")]
    with database.read() as tx:
        assert read_standings(tx, ["ada"], "EUR").accounts["ada", "EUR"].outstanding == owed
    (reply,) = replies_to(database, reserves("clk_2", 10_000 - owed + 1))
    assert reply.outcome == "refused"


@pytest.mark.parametrize("payment", [{"status": "none"}, {"status": "lost"}, {"status": "captured", "late": True}])
def test_an_order_of_nothing_teaches_nothing_paid_or_not(database: Database, payment: dict[str, object]) -> None:
    replies_to(database, reserves("clk_1", 0))
    replies_to(database, settles("clk_1", payment))
    assert business_rows(database)["accounts"] == []


def test_a_refusal_tells_the_customer_no_limit_and_the_shops_own_people_all(database: Database) -> None:
    (reply,) = replies_to(database, reserves("clk_1", 1_234_567))
    assert reply.refusal
    assert "12,345.67 EUR" in reply.refusal.detail
    assert "100" not in reply.refusal.detail
    assert "only 100.00 EUR of credit is available, the limit is 100.00 EUR" in reply.refusal.internal


def test_a_reservation_of_a_version_before_counts_where_credit_was_set_first(database: Database) -> None:
    with database.begin() as tx:
        tx.insert(reservations, [{"session": "clk_0", "customer": "ada", "amount": 9_000, "currency": None}])
    replies = replies_to(database, reserves("clk_1", 2_000), reserves("clk_2", 100, currency="JPY"))
    assert [reply.outcome for reply in replies] == ["refused", "done"]


def test_a_guest_teaches_nothing(database: Database) -> None:
    replies_to(database, reserves("clk_1", 100, None))
    replies_to(database, settles("clk_1", customer=None))
    assert business_rows(database)["accounts"] == []


@pytest.mark.parametrize("total", [None, -1, "5", 1.5, True])
def test_a_total_that_is_no_amount_is_an_error_not_a_refusal(database: Database, total: object) -> None:
    with pytest.raises(ValueError, match=r"document\.order\.total"):
        replies_to(database, reserves("clk_1", total))


def test_a_batch_takes_as_many_statements_as_a_single_command(database: Database) -> None:
    counts: list[int] = []
    for size in (1, 5):
        before = database.statements
        sessions = [f"clk_{size}_{number}" for number in range(size)]
        replies_to(database, *(reserves(session, 1) for session in sessions))
        replies_to(database, *(settles(session) for session in sessions))
        replies_to(database, *(releases(f"{session}_none") for session in sessions))
        counts.append(database.statements - before)
    assert counts[0] == counts[1]
