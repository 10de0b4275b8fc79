"""Step times by the hour: what is counted for whom, that it is added up, and that it costs no turn a statement."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from domain.times import hours, minutes, seconds
from messaging.database import Database
from messaging.memory import MemoryBroker
from shop_manager.engine import step_hours
from shop_manager.engine.step_hours import HOUR, KEPT, StepHours, bucket_of, milliseconds_of, table
from shop_manager.tests.manager_harness import ManagerHarness
from shop_manager.tests.saga_harness import NOON


@pytest.fixture
def harness(tmp_path: Path) -> ManagerHarness:
    return ManagerHarness(tmp_path, MemoryBroker())


def counted(database: Database) -> dict[tuple[int, str, str, int], int]:
    with database.read() as tx:
        return {(row.hour, row.step, row.turn, row.bucket): row[5] for row in tx.execute(select(table))}


@pytest.mark.parametrize("milliseconds", [1, 2, 40, 999, 61_000, 3_600_000, 90 * 24 * 3_600_000])
def test_a_time_is_kept_within_8_percent(milliseconds: int) -> None:
    assert milliseconds_of(bucket_of(milliseconds)) == pytest.approx(milliseconds, rel=0.08, abs=0.5)


def test_a_bucket_begins_where_the_one_before_ends_and_no_time_at_all_has_its_own() -> None:
    buckets = [bucket_of(each) for each in range(10_000)]
    assert buckets == sorted(buckets) and buckets[0] == 0 == milliseconds_of(0)
    assert bucket_of(-5) == 0, "clocks differ"


def test_a_step_counts_for_whose_turn_it_was_and_as_a_whole_from_the_answer_before(harness: ManagerHarness) -> None:
    harness.opens("clk_1")
    harness.now += minutes(2)
    harness.hears(harness.replies(harness.sent()[0]))
    harness.manager.after_commit()
    statements = harness.database.statements
    harness.now += seconds(1)
    [credit] = harness.sent()
    harness.hears(harness.replies(credit))
    used = harness.database.statements - statements
    harness.manager.after_commit()
    assert harness.database.statements == statements + used
    harness.manager.step_figures.hours.flush(harness.database)
    hour = NOON - NOON % HOUR
    assert counted(harness.database) == {
        (hour, "shopping", "service", bucket_of(minutes(2))): 1,
        (hour, "shopping", "whole", bucket_of(minutes(2))): 1,
        (hour, "credit", "service", bucket_of(1_000)): 1,
        (hour, "credit", "whole", bucket_of(1_000)): 1,
    }


def test_a_refusal_counts_for_the_service_but_no_step_was_done_and_an_undo_counts_nothing(
    harness: ManagerHarness,
) -> None:
    harness.opens("clk_1")
    harness.hears(harness.replies(harness.sent()[0]))
    harness.hears(harness.replies(harness.sent()[0]))
    harness.manager.after_commit()
    harness.hears(harness.replies(harness.sent()[0], "refused"))
    harness.manager.after_commit()
    harness.plays_all()
    harness.manager.after_commit()
    harness.manager.step_figures.hours.flush(harness.database)
    places = {(step, turn) for _, step, turn, _ in counted(harness.database)}
    assert {turn for step, turn in places if step == "payment"} in ({"customer"}, {"service"})
    assert ("credit", "whole") in places and ("payment", "whole") not in places


def test_what_several_have_counted_is_added_up_and_what_is_old_goes(harness: ManagerHarness) -> None:
    one, other = StepHours(), StepHours()
    for each in (one, other, one):
        each.took(NOON, "standard/1", "credit", "service", 10)
        each.flush(harness.database)
    one.flush(harness.database)
    assert list(counted(harness.database).values()) == [3]
    harness.now += KEPT + hours(1)
    other.took(harness.now, "standard/1", "credit", "service", 10)
    other.flush(harness.database)
    assert [place[0] for place in counted(harness.database)] == [harness.now - harness.now % HOUR]


def test_what_could_not_be_written_is_written_the_next_time(
    harness: ManagerHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = StepHours()
    kept.took(NOON, "standard/1", "credit", "service", 10)

    def fails(*_: object) -> None:
        raise OSError("away")

    with monkeypatch.context() as patched:
        patched.setattr(step_hours, "_add", fails)
        with pytest.raises(OSError, match="away"):
            kept.flush(harness.database)
    kept.took(NOON, "standard/1", "credit", "service", 10)
    kept.flush(harness.database)
    assert list(counted(harness.database).values()) == [2]
