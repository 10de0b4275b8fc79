"""`clerk repair` at ShopManager: each repair is a note, an audit line and a command in one transaction, or nothing."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select, update

from domain.messages import Command
from domain.times import hours
from messaging.broker import OutboundMessage
from messaging.envelope import decode, unpack
from shop_manager.engine import store, tables
from shop_manager.operations.repairs import Repairs
from shop_manager.saga.repairing import is_repair
from shop_manager.tests.http_harness import SERVER, HttpHarness


@pytest.fixture
def repairs(harness: HttpHarness) -> Repairs:
    return Repairs(harness.manager)


def commands_in(outbound: list[OutboundMessage] | None) -> list[Command]:
    assert outbound is not None
    messages = [decode(each, "risk") for sent in outbound for each in unpack(sent.body)]
    return [message for message in messages if isinstance(message, Command)]


def audited(harness: HttpHarness) -> list[tuple[str, str]]:
    lines = harness.operations.reads.audit({})["data"]
    return [(line["action"], line["target"]) for line in lines]


def last_note(harness: HttpHarness, clerk: str) -> tuple[int, Any]:
    with harness.database.read() as tx:
        return store.read_history(tx, clerk)[-1]


def failed(harness: HttpHarness) -> str:
    """A Clerk that has ended as failed, and its credit was released."""
    clerk: str = harness.brings_all()["id"]
    harness.answers(harness.goes_on_to("AuthorizePayment"), "refused", "card_declined")
    harness.goes_on_to_the_end()
    assert harness.saga(clerk).status == "failed"
    return clerk


def test_an_undo_after_the_end_goes_out_under_the_next_attempt_with_its_note(
    harness: HttpHarness, repairs: Repairs
) -> None:
    clerk = failed(harness)
    before = harness.saga(clerk)
    [command] = commands_in(repairs.undo_again(clerk, "risk"))
    assert (command.name, command.direction, command.attempt) == ("ReleaseCredit", "undo", 2)
    [again] = commands_in(repairs.undo_again(clerk, "risk"))
    assert again.attempt == 3
    number, note = last_note(harness, clerk)
    assert (number, is_repair(note), note.step) == (before.version + 2, True, "credit")
    after = harness.saga(clerk)
    assert (after.status, after.updated_at, after.steps) == (before.status, before.updated_at, before.steps)
    assert audited(harness) == [("repair", f"clerk:{clerk}")] * 2


def test_the_open_question_is_asked_again_under_the_same_id_and_no_deadline_is_met(
    harness: HttpHarness, repairs: Repairs
) -> None:
    clerk = harness.brings_all()["id"]
    asked = harness.goes_on_to("ReserveCredit")
    harness.now += hours(5)
    [command] = commands_in(repairs.ask_again(clerk))
    assert command.id == asked.id
    saga = harness.saga(clerk)
    assert saga.status == "running" and saga.expires_at < harness.now
    assert saga.resend is not None and saga.resend.at > harness.now and saga.resend.count == 0
    assert not is_repair(last_note(harness, clerk)[1])


def test_a_row_is_written_anew_as_the_clerks_own_state_says(harness: HttpHarness, repairs: Repairs) -> None:
    clerk = harness.opened(SERVER)["id"]
    with harness.database.begin() as tx:
        tx.execute(update(tables.clerks).values(wake_at=None, step="nowhere"))
    assert repairs.list_anew(clerk) == []
    with harness.database.read() as tx:
        row = tx.execute(select(tables.clerks)).one()
    assert (row.step, row.wake_at is not None) == ("shopping", True)


def test_where_the_clerk_has_moved_on_nothing_is_written(harness: HttpHarness, repairs: Repairs) -> None:
    ended = failed(harness)
    live = harness.opened()["id"]
    versions = [harness.saga(clerk).version for clerk in (live, ended)]
    assert repairs.undo_again(live, "risk") is None
    assert repairs.undo_again(ended, "nobody") is None
    assert repairs.ask_again(ended) is None
    assert repairs.list_anew("clk_unknown") is None
    assert [harness.saga(clerk).version for clerk in (live, ended)] == versions
    assert audited(harness) == []
