"""The Manager with its store: what is committed, who wins a race, and what an outage may not do (T3–T7, E2, D2)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import event, select

from domain.messages import ParkedNotice
from domain.times import hours, minutes, seconds
from messaging.database_errors import ConcurrencyError
from shop_manager.engine import manager, store, tables
from shop_manager.engine.outages import OUTAGE_MS
from shop_manager.engine.store import VersionedSaga
from shop_manager.saga.happenings import Cancelled
from shop_manager.saga.policy import Outage
from shop_manager.saga.state import Resend, fold
from shop_manager.tests.manager_harness import ManagerHarness
from shop_manager.tests.saga_harness import NOON


@pytest.fixture
def harness(tmp_path: Path) -> ManagerHarness:
    return ManagerHarness(tmp_path)


def test_E2_an_order_has_one_end_and_its_history_folds_to_what_is_stored(harness: ManagerHarness) -> None:
    clerk = harness.opens("clk_1")
    names = harness.plays_all()
    assert names[0] == "StartShopping"
    assert names[-1] == "SettleCredit"
    saga = harness.saga(clerk)
    assert saga.status == "completed"
    with harness.database.read() as tx:
        entries = store.read_history(tx, clerk)
    assert [number for number, _ in entries] == list(range(1, saga.version + 1)), "E2: numbered without gaps"
    assert fold(clerk, [entry for _, entry in entries]) == saga


def test_M1_the_command_is_in_the_outbox_before_anything_is_sent(harness: ManagerHarness) -> None:
    harness.transport.close()
    harness.opens("clk_1")
    assert harness.outbox.unsent() == 1
    assert harness.sent() == []


def test_M3_an_ignored_reply_is_kept_with_its_reason_and_changes_nothing(harness: ManagerHarness) -> None:
    clerk = harness.opens("clk_1")
    [question] = harness.sent()
    harness.hears(harness.replies(question))
    before = harness.saga(clerk)
    harness.hears(harness.replies(question), harness.replies(question))
    assert harness.saga(clerk) == before
    with harness.database.read() as tx:
        ignored = store.read_ignored(tx, clerk)
    assert [row["reason"].split(":")[0] for row in ignored] == ["repeated", "repeated"]
    assert ignored[0]["message"] == "clk_1/shopping/1/do/reply"


def test_M3_an_answer_may_come_before_the_outbox_row_is_known_to_be_sent(harness: ManagerHarness) -> None:
    clerk = harness.opens("clk_1")
    [question] = harness.sent()
    assert harness.outbox.unsent() == 1, "confirmed, but not forgotten yet"
    harness.hears(harness.replies(question))
    assert harness.saga(clerk).state_of("shopping") == "done"


def test_D2_a_reply_for_an_unknown_clerk_or_step_is_parked_and_the_others_go_on(harness: ManagerHarness) -> None:
    clerk = harness.opens("clk_1")
    [question] = harness.sent()
    stranger = replace(harness.replies(question), clerk="clk_2", document={})
    nowhere = replace(harness.replies(question), step="daydreaming")
    harness.hears(stranger, nowhere, harness.replies(question))
    with harness.database.read() as tx:
        reasons = sorted(row.reason for row in tx.execute(select(tables.technical.parked)))
    assert reasons == ["process standard/1 has no step 'daydreaming'", "there is no Clerk clk_2"]
    assert harness.saga(clerk).state_of("shopping") == "done"


def test_B2_a_notice_of_a_parked_command_is_kept_and_makes_its_clerk_stuck(harness: ManagerHarness) -> None:
    clerk = harness.opens("clk_1")
    [question] = harness.sent()
    harness.hears(
        ParkedNotice("shop", "prk_1", "the handler failed", "shop.commands.v1", question.id, b"[...]", 5, NOON)
    )
    stuck = harness.saga(clerk).stuck
    assert stuck is not None
    assert stuck.kind == "parked_message"
    with harness.database.read() as tx:
        [parked] = tx.execute(select(tables.technical.parked)).all()
    assert (parked.service, parked.message) == ("shop", question.id)


def test_T3_a_paused_manager_that_wakes_up_cannot_write_over_what_others_wrote(harness: ManagerHarness) -> None:
    clerk = harness.opens("clk_1")
    with harness.database.read() as tx:
        old: VersionedSaga = store.read(tx, [clerk])[clerk]
    assert harness.manager.execute(clerk, Cancelled()) is not None
    now_stored = harness.saga(clerk)
    with pytest.raises(ConcurrencyError), harness.database.begin() as tx:
        store.write(tx, [(old.saga, old.revision, old.digest)], [])
    assert harness.saga(clerk) == now_stored


def test_T3_a_reply_and_a_cancel_at_the_same_instant_have_one_winner(harness: ManagerHarness, tmp_path: Path) -> None:
    other = ManagerHarness(tmp_path, harness.broker)
    clerk = harness.opens("clk_1")
    [question] = harness.sent()
    other.manager.execute(clerk, Cancelled())
    harness.hears(harness.replies(question))
    assert harness.saga(clerk).status == "undoing"
    assert [command.name for command in harness.sent()] == ["CancelOrder"]


def test_an_act_with_an_old_version_changes_nothing(harness: ManagerHarness) -> None:
    clerk = harness.opens("clk_1")
    before = harness.saga(clerk)
    refused = harness.manager.execute(clerk, Cancelled(), version=before.version - 1)
    assert refused is not None
    assert getattr(refused, "code", None) == "version_conflict"
    assert harness.saga(clerk) == before


def test_a_deadline_takes_effect_at_the_next_tick_and_once(harness: ManagerHarness) -> None:
    clerk = harness.opens("clk_1", minutes_long=1)
    harness.ticks()
    for _ in range(62):
        harness.now += seconds(1)
        harness.ticks()
        harness.ticks()
    assert harness.saga(clerk).status == "undoing"
    assert {command.id for command in harness.sent()} == {"clk_1/shopping/1/do", "clk_1/shopping/1/undo"}


@pytest.mark.parametrize(("seconds_long", "at_once"), [(60.0, 3), (0.0, 1)])
def test_a_tick_takes_no_longer_than_its_time_and_the_next_one_goes_on(
    harness: ManagerHarness, monkeypatch: pytest.MonkeyPatch, seconds_long: float, at_once: int
) -> None:
    monkeypatch.setattr(manager, "SWEEP", 1)
    monkeypatch.setattr(manager, "SWEEP_SECONDS", seconds_long)
    clerks = [harness.opens(f"clk_{number}", minutes_long=1) for number in range(3)]
    harness.ticks()
    for _ in range(61):  # no outage
        harness.now += seconds(1)
        harness.manager.outages.beat()
    harness.ticks()
    assert [harness.saga(clerk).status for clerk in clerks].count("undoing") == at_once
    for _ in range(3):
        harness.ticks()
    assert {harness.saga(clerk).status for clerk in clerks} == {"undoing"}


def test_M4_a_resend_is_stored_and_the_same_message(harness: ManagerHarness) -> None:
    clerk = harness.opens("clk_1")
    harness.ticks()
    harness.now += seconds(2.9)
    harness.ticks()
    harness.now += seconds(2.9)
    harness.ticks()
    first, again = harness.sent()
    assert first.id == again.id
    assert harness.saga(clerk).resend == Resend(harness.saga(clerk).resend.at, 1)  # type: ignore[union-attr]  # it is asked


def test_T5_deadlines_that_fell_into_an_outage_move_to_a_grace_after_it(
    harness: ManagerHarness, tmp_path: Path
) -> None:
    clerk = harness.opens("clk_1", minutes_long=30)
    harness.ticks()
    [question] = harness.sent()
    later = ManagerHarness(tmp_path, harness.broker)
    later.now = NOON + hours(5)
    later.ticks()
    saga = later.saga(clerk)
    assert saga.status == "running"
    assert saga.expires_at == later.now + seconds(60)
    later.hears(later.replies(question))
    assert later.saga(clerk).state_of("shopping") == "done"
    assert later.outages.known == (Outage(NOON, later.now),)


def test_T5_a_reply_that_waited_out_the_outage_is_taken_before_the_overdue_deadline(
    harness: ManagerHarness, tmp_path: Path
) -> None:
    clerk = harness.opens("clk_1", minutes_long=30)
    harness.ticks()
    [question] = harness.sent()
    later = ManagerHarness(tmp_path, harness.broker)
    later.now = NOON + hours(5)
    later.outages.before_batch()
    later.hears(later.replies(question))
    assert later.saga(clerk).state_of("shopping") == "done"
    assert later.saga(clerk).status == "running"


def test_T5_while_the_broker_is_away_nobody_is_woken(harness: ManagerHarness) -> None:
    clerk = harness.opens("clk_1", minutes_long=1)
    harness.ticks()
    harness.transport.close()
    harness.now += minutes(10)
    harness.ticks()
    assert harness.saga(clerk).status == "running"
    harness.transport.start()
    harness.ticks()
    assert harness.saga(clerk).expires_at == harness.now + seconds(60)


def test_T5_a_short_pause_is_no_outage(harness: ManagerHarness) -> None:
    harness.ticks()
    harness.now += OUTAGE_MS - 100
    harness.outages.before_batch()
    assert harness.outages.known == ()


def test_T5_a_clock_that_is_set_ahead_expires_nobody(harness: ManagerHarness) -> None:
    clerk = harness.opens("clk_1", minutes_long=30)
    harness.ticks()
    harness.now += hours(1)
    harness.ticks()
    assert harness.saga(clerk).status == "running"
    assert harness.saga(clerk).expires_at == harness.now + seconds(60)


def test_T5_a_clock_that_is_set_back_takes_the_outages_of_the_future_with_it(harness: ManagerHarness) -> None:
    harness.ticks()
    harness.now += hours(1)
    harness.ticks()
    assert harness.outages.known == (Outage(NOON, NOON + hours(1)),)
    harness.now -= minutes(59)
    harness.ticks()
    assert len(harness.outages.known) == 0


def test_T7_many_deadlines_due_at_once_are_worked_off_in_batches(harness: ManagerHarness) -> None:
    for number in range(450):
        harness.opens(f"clk_{number}", minutes_long=0.01)
    harness.ticks()
    harness.now += seconds(1)
    commits: list[object] = []
    listener = commits.append
    event.listen(harness.database.engine, "commit", listener)
    harness.ticks()
    event.remove(harness.database.engine, "commit", listener)
    with harness.database.read() as tx:
        statuses = [row.status for row in tx.execute(select(tables.clerks.c.status))]
    assert statuses == ["undoing"] * 450
    assert len(commits) <= 5


def test_statements_do_not_grow_with_the_replies_in_a_batch(harness: ManagerHarness) -> None:
    for number in range(30):
        harness.opens(f"clk_{number}")
    questions = harness.sent()

    def statements(count: int) -> int:
        seen: list[object] = []
        batch = [questions.pop() for _ in range(count)]

        def listener(*arguments: object) -> None:
            seen.append(arguments[2])

        event.listen(harness.database.engine, "before_cursor_execute", listener)
        harness.hears(*[harness.replies(question) for question in batch])
        event.remove(harness.database.engine, "before_cursor_execute", listener)
        return len(seen)

    assert statements(2) == statements(25)


def test_an_ended_clerk_is_never_looked_at_again(harness: ManagerHarness) -> None:
    harness.opens("clk_1")
    harness.plays_all()
    harness.now = NOON + hours(1000)
    with harness.database.read() as tx:
        assert store.due(tx, 10) == []
        assert store.processes_in_use(tx) == []


def test_E4_an_expired_clerk_stays_with_all_that_happened(harness: ManagerHarness) -> None:
    clerk = harness.opens("clk_1", minutes_long=1)
    harness.hears(*[harness.replies(question, status="placed") for question in harness.sent()])
    harness.ticks()
    for _ in range(30):
        harness.now += seconds(2.5)
        harness.ticks()
    harness.plays_all()
    saga = harness.saga(clerk)
    assert saga.status == "expired"
    assert saga.document["order"] == {"status": "placed"}
    with harness.database.read() as tx:
        happened = [(entry.what, entry.step) for _, entry in store.read_history(tx, clerk)]
    assert happened[-5:] == [
        ("asked", "credit"),
        ("undone", "credit"),
        ("asked", "shopping"),
        ("undone", "shopping"),
        ("ended", None),
    ]


def test_E1_an_ended_clerk_absorbs_late_replies_even_when_its_process_was_taken_out(harness: ManagerHarness) -> None:
    clerk = harness.opens("clk_1")
    [question] = harness.sent()
    harness.hears(harness.replies(question, "refused"))
    harness.manager.processes.by_reference.clear()
    harness.hears(harness.replies(question))
    refused = harness.manager.execute(clerk, Cancelled())
    assert getattr(refused, "code", None) == "session_ended"
    with harness.database.read() as tx:
        assert len(store.read_ignored(tx, clerk)) == 1
