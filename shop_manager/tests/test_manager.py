"""ShopManager with its store: what is committed, who wins a race, and what an outage may not do (T3–T7, E2, D2)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import event, select

from domain.messages import Notice
from domain.times import hours, minutes, seconds
from messaging.worker import LostRace
from shop_manager import store
from shop_manager.happenings import Cancelled, Outage
from shop_manager.outages import OUTAGE_MS
from shop_manager.saga import Resend, fold
from shop_manager.store import Held
from shop_manager.tests.desk import NOON, ManagersDesk


@pytest.fixture
def desk(tmp_path: Path) -> ManagersDesk:
    return ManagersDesk(tmp_path)


def test_E2_an_order_has_one_end_and_its_history_folds_to_what_is_stored(desk: ManagersDesk) -> None:
    clerk = desk.opens("clk_1")
    names = desk.plays_all()
    assert names[0] == "StartShopping"
    assert names[-1] == "SettleCredit"
    saga = desk.saga(clerk)
    assert saga.status == "completed"
    with desk.database.read() as tx:
        entries = store.read_history(tx, clerk)
    assert [number for number, _ in entries] == list(range(1, saga.version + 1)), "E2: numbered without gaps"
    assert fold(clerk, [entry for _, entry in entries]) == saga


def test_M1_the_command_is_in_the_outbox_before_anything_is_sent(desk: ManagersDesk) -> None:
    desk.link.close()
    desk.opens("clk_1")
    assert desk.outbox.unsent() == 1
    assert desk.sent() == []


def test_M3_an_ignored_reply_is_kept_with_its_reason_and_changes_nothing(desk: ManagersDesk) -> None:
    clerk = desk.opens("clk_1")
    [question] = desk.sent()
    desk.hears(desk.replies(question))
    before = desk.saga(clerk)
    desk.hears(desk.replies(question), desk.replies(question))
    assert desk.saga(clerk) == before
    with desk.database.read() as tx:
        ignored = store.read_ignored(tx, clerk)
    assert [row["reason"].split(":")[0] for row in ignored] == ["repeated", "repeated"]
    assert ignored[0]["message"] == "clk_1/shopping/1/do/reply"


def test_M3_an_answer_may_come_before_the_outbox_row_is_known_to_be_sent(desk: ManagersDesk) -> None:
    clerk = desk.opens("clk_1")
    [question] = desk.sent()
    assert desk.outbox.unsent() == 1, "confirmed, but not forgotten yet"
    desk.hears(desk.replies(question))
    assert desk.saga(clerk).state_of("shopping") == "done"


def test_D2_a_reply_for_an_unknown_clerk_or_step_is_parked_and_the_others_go_on(desk: ManagersDesk) -> None:
    clerk = desk.opens("clk_1")
    [question] = desk.sent()
    stranger = replace(desk.replies(question), clerk="clk_2", document={})
    nowhere = replace(desk.replies(question), step="daydreaming")
    desk.hears(stranger, nowhere, desk.replies(question))
    with desk.database.read() as tx:
        reasons = sorted(row.reason for row in tx.execute(select(store.schema.parked)))
    assert reasons == ["process standard/1 has no step 'daydreaming'", "there is no Clerk clk_2"]
    assert desk.saga(clerk).state_of("shopping") == "done"


def test_B2_a_notice_of_a_parked_command_is_kept_and_makes_its_clerk_stuck(desk: ManagersDesk) -> None:
    clerk = desk.opens("clk_1")
    [question] = desk.sent()
    desk.hears(Notice("shop", "prk_1", "the handler failed", "shop.commands.v1", question.id, b"[...]", 5, NOON))
    stuck = desk.saga(clerk).stuck
    assert stuck is not None
    assert stuck.kind == "parked_message"
    with desk.database.read() as tx:
        [parked] = tx.execute(select(store.schema.parked)).all()
    assert (parked.service, parked.message) == ("shop", question.id)


def test_T3_a_paused_manager_that_wakes_up_cannot_write_over_what_others_wrote(desk: ManagersDesk) -> None:
    clerk = desk.opens("clk_1")
    with desk.database.read() as tx:
        old: Held = store.read(tx, [clerk])[clerk]
    assert desk.manager.wish(clerk, Cancelled()) is not None
    now_stored = desk.saga(clerk)
    with pytest.raises(LostRace), desk.database.begin() as tx:
        store.write(tx, [(old.saga, old.revision, old.digest)], [])
    assert desk.saga(clerk) == now_stored


def test_T3_a_reply_and_a_cancel_at_the_same_instant_have_one_winner(desk: ManagersDesk, tmp_path: Path) -> None:
    other = ManagersDesk(tmp_path, desk.broker)
    clerk = desk.opens("clk_1")
    [question] = desk.sent()
    other.manager.wish(clerk, Cancelled())
    desk.hears(desk.replies(question))
    assert desk.saga(clerk).status == "undoing"
    assert [command.name for command in desk.sent()] == ["CancelOrder"]


def test_a_wish_with_an_old_version_changes_nothing(desk: ManagersDesk) -> None:
    clerk = desk.opens("clk_1")
    before = desk.saga(clerk)
    refused = desk.manager.wish(clerk, Cancelled(), version=before.version - 1)
    assert refused is not None
    assert getattr(refused, "code", None) == "version_conflict"
    assert desk.saga(clerk) == before


def test_a_deadline_takes_effect_at_the_next_tick_and_once(desk: ManagersDesk) -> None:
    clerk = desk.opens("clk_1", minutes_long=1)
    desk.ticks()
    for _ in range(62):
        desk.now += seconds(1)
        desk.ticks()
        desk.ticks()
    assert desk.saga(clerk).status == "undoing"
    assert {command.id for command in desk.sent()} == {"clk_1/shopping/1/do", "clk_1/shopping/1/undo"}


def test_M4_a_resend_is_stored_and_the_same_message(desk: ManagersDesk) -> None:
    clerk = desk.opens("clk_1")
    desk.ticks()
    desk.now += seconds(2.9)
    desk.ticks()
    desk.now += seconds(2.9)
    desk.ticks()
    first, again = desk.sent()
    assert first.id == again.id
    assert desk.saga(clerk).resend == Resend(desk.saga(clerk).resend.at, 1)  # type: ignore[union-attr]  # it is asked


def test_T5_deadlines_that_fell_into_an_outage_move_to_a_grace_after_it(desk: ManagersDesk, tmp_path: Path) -> None:
    clerk = desk.opens("clk_1", minutes_long=30)
    desk.ticks()
    [question] = desk.sent()
    later = ManagersDesk(tmp_path, desk.broker)
    later.now = NOON + hours(5)
    later.ticks()
    saga = later.saga(clerk)
    assert saga.status == "running"
    assert saga.expires_at == later.now + seconds(60)
    later.hears(later.replies(question))
    assert later.saga(clerk).state_of("shopping") == "done"
    assert later.outages.known == (Outage(NOON, later.now),)


def test_T5_a_reply_that_waited_out_the_outage_is_taken_before_the_overdue_deadline(
    desk: ManagersDesk, tmp_path: Path
) -> None:
    clerk = desk.opens("clk_1", minutes_long=30)
    desk.ticks()
    [question] = desk.sent()
    later = ManagersDesk(tmp_path, desk.broker)
    later.now = NOON + hours(5)
    later.outages.before_batch()
    later.hears(later.replies(question))
    assert later.saga(clerk).state_of("shopping") == "done"
    assert later.saga(clerk).status == "running"


def test_T5_while_the_broker_is_away_nobody_is_woken(desk: ManagersDesk) -> None:
    clerk = desk.opens("clk_1", minutes_long=1)
    desk.ticks()
    desk.link.close()
    desk.now += minutes(10)
    desk.ticks()
    assert desk.saga(clerk).status == "running"
    desk.link.start()
    desk.ticks()
    assert desk.saga(clerk).expires_at == desk.now + seconds(60)


def test_T5_a_short_pause_is_no_outage(desk: ManagersDesk) -> None:
    desk.ticks()
    desk.now += OUTAGE_MS - 100
    desk.outages.before_batch()
    assert desk.outages.known == ()


def test_T7_many_deadlines_due_at_once_are_worked_off_in_batches(desk: ManagersDesk) -> None:
    for number in range(450):
        desk.opens(f"clk_{number}", minutes_long=0.01)
    desk.ticks()
    desk.now += seconds(1)
    commits: list[object] = []
    listener = commits.append
    event.listen(desk.database.engine, "commit", listener)
    desk.ticks()
    event.remove(desk.database.engine, "commit", listener)
    with desk.database.read() as tx:
        statuses = [row.status for row in tx.execute(select(store.clerks.c.status))]
    assert statuses == ["undoing"] * 450
    assert len(commits) <= 5


def test_statements_do_not_grow_with_the_replies_in_a_batch(desk: ManagersDesk) -> None:
    for number in range(30):
        desk.opens(f"clk_{number}")
    questions = desk.sent()

    def statements(count: int) -> int:
        seen: list[object] = []
        batch = [questions.pop() for _ in range(count)]

        def listener(*arguments: object) -> None:
            seen.append(arguments[2])

        event.listen(desk.database.engine, "before_cursor_execute", listener)
        desk.hears(*[desk.replies(question) for question in batch])
        event.remove(desk.database.engine, "before_cursor_execute", listener)
        return len(seen)

    assert statements(2) == statements(25)


def test_an_ended_clerk_is_never_looked_at_again(desk: ManagersDesk) -> None:
    desk.opens("clk_1")
    desk.plays_all()
    with desk.database.read() as tx:
        assert store.due(tx, NOON + hours(1000), 10) == []
        assert store.processes_in_use(tx) == []


def test_E4_an_expired_clerk_stays_with_all_that_happened(desk: ManagersDesk) -> None:
    clerk = desk.opens("clk_1", minutes_long=1)
    desk.hears(*[desk.replies(question, status="placed") for question in desk.sent()])
    desk.ticks()
    for _ in range(30):
        desk.now += seconds(2.5)
        desk.ticks()
    desk.plays_all()
    saga = desk.saga(clerk)
    assert saga.status == "expired"
    assert saga.document["order"] == {"status": "placed"}
    with desk.database.read() as tx:
        happened = [(entry.what, entry.step) for _, entry in store.read_history(tx, clerk)]
    assert happened[-5:] == [
        ("asked", "credit"),
        ("undone", "credit"),
        ("asked", "shopping"),
        ("undone", "shopping"),
        ("ended", None),
    ]


def test_E1_an_ended_clerk_absorbs_late_replies_even_when_its_process_was_taken_out(desk: ManagersDesk) -> None:
    clerk = desk.opens("clk_1")
    [question] = desk.sent()
    desk.hears(desk.replies(question, "refused"))
    desk.manager.catalogue.by_reference.clear()
    desk.hears(desk.replies(question))
    refused = desk.manager.wish(clerk, Cancelled())
    assert getattr(refused, "code", None) == "session_ended"
    with desk.database.read() as tx:
        assert len(store.read_ignored(tx, clerk)) == 1
