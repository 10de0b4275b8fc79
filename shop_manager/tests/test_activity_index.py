"""The feed goes by indexes only, on SQLite and on PostgreSQL: by whichever one filter, by time, and from the place of
the page before; never over all that ever happened.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy.sql import Select

from domain.times import days, hours, minutes
from messaging.database import Database
from shop_manager.engine import activity
from shop_manager.operations.activity import (
    EVERYTHING,
    ActivityFilter,
    by_hour,
    compare_hours,
    count_new,
    lines,
    read_activity,
    written_since,
)
from shop_manager.tests.query_plans import BOTH, analyze, own_database, plan

NOW = days(20_000)
ENTERED = 20_000
EVERY = minutes(5)
FILTERS = {
    "everything": EVERYTHING,
    "kind": ActivityFilter(kind="healed"),
    "service": ActivityFilter(service="risk"),
    "step": ActivityFilter(step="credit"),
    "cause": ActivityFilter(cause="overdue"),
    "code": ActivityFilter(code="code 7"),
    "who": ActivityFilter(who="Ann"),
    "process": ActivityFilter(process="invoice/1"),
    "several": ActivityFilter(kind="healed", who="ann", step="credit"),
}


@pytest.fixture(scope="module", params=BOTH)
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """ENTERED lines, one every five minutes, the last one at NOW; nobody writes there."""
    with own_database(request.param, tmp_path_factory.mktemp("activity"), clock=lambda: NOW) as database:
        with database.begin() as tx:
            for first in range(0, ENTERED, 2_000):
                activity.add(tx, [entered(number) for number in range(first, first + 2_000)])
        analyze(database)
        yield database


def entered(number: int) -> dict[str, Any]:
    at, code = NOW - (ENTERED - 1 - number) * EVERY, f"code {number % 100}"
    if number % 2:
        about = {"service": "payment", "step": "capture", "cause": "no_answer", "process": "standard/1"}
        return activity.line(at, "stuck", "no_answer", clerk=f"clk_{number}", code=code, **about)
    about = {"service": "risk", "step": "credit", "cause": "overdue", "process": "invoice/1"}
    who = "Ann" if number % 4 else "Bob"
    return activity.line(at, "healed", "retry", clerk=f"clk_{number}", code=code, who=who, **about)


def assert_bounded(database: Database, statement: Select[Any]) -> None:
    """By one index, and by time or number in it; at most what is found is sorted, and nothing is scanned."""
    with database.read() as tx:
        steps = plan(tx, statement, {})
    if database.dialect == "sqlite":
        assert not [step for step in steps if step.startswith("SCAN activity")], steps
        assert [step for step in steps if "SEARCH activity USING" in step and ("at>" in step or "rowid>" in step)], (
            steps
        )
    else:
        assert not [step for step in steps if "Seq Scan" in step], steps
        assert [step for step in steps if "Index Cond: " in step and ("at " in step or "number " in step)], steps


@pytest.mark.parametrize("name", FILTERS)
def test_a_page_is_read_by_one_index_and_by_time_also_from_the_place_of_the_page_before(
    database: Database, name: str
) -> None:
    for before in (None, (NOW - days(1), 5)):
        assert_bounded(database, lines(FILTERS[name], 51, before, NOW))


def test_the_hours_and_what_is_new_are_read_by_an_index_too(database: Database) -> None:
    for wanted in FILTERS.values():
        assert_bounded(database, by_hour(wanted, NOW))
    assert_bounded(database, written_since(EVERYTHING, ENTERED - 3, 50, NOW))


def test_what_is_found_is_the_same_on_both(database: Database) -> None:
    with database.read() as tx:
        found = read_activity(tx, ActivityFilter(who="ann", until=NOW, since=0), 3, None)
        assert [line["clerk"] for line in found] == ["clk_19998", "clk_19994", "clk_19990"]
        further = read_activity(tx, ActivityFilter(who="ann", since=0), 1, (NOW - 9 * EVERY, 19_991))
        assert [line["clerk"] for line in further] == ["clk_19986"]
        assert count_new(tx, ActivityFilter(since=0), ENTERED - 3, 50) == 3
        assert count_new(tx, ActivityFilter(since=0), 0, 50) == 50
        kinds = {each["kind"]: each for each in compare_hours(tx, EVERYTHING, NOW)["kinds"]}
        assert kinds["stuck"]["last_hour"] + kinds["healed"]["last_hour"] == hours(1) // EVERY + 1
        assert kinds["stuck"]["hour_before"] + kinds["healed"]["hour_before"] == hours(1) // EVERY
