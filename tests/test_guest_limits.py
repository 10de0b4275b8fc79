"""The statements that count guests' sessions give the same on SQLite and on PostgreSQL (security S5)."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Engine, event, insert, make_url, select, text
from sqlalchemy.types import Integer

from domain.times import hours
from http_api.request import Origin
from messaging.database import Database
from messaging.migrations import migrate
from shop_manager.engine.tables import clerks, guest_sessions
from shop_manager.sessions.guests import GuestSessions, forget_old
from shop_manager.sessions.opening_options import GuestLimits
from tests.postgres import admin_url, administer

HOME, NEXT_DOOR = Origin("2001:db8:1:1::/64", "2001:db8:1::/48"), Origin("2001:db8:1:2::/64", "2001:db8:1::/48")
FEW = GuestLimits(per_address=3, per_hour=60, bytes_per_hour=10**9)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.database)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """ShopManager's tables, on either database."""
    if request.param == "sqlite":
        database = Database(f"sqlite:///{tmp_path}/shop_manager.db")
        migrate(database, "shop_manager")
        yield database
        database.close()
        return
    admin, name = admin_url(), f"guests_{secrets.token_hex(4)}"
    administer(admin, f"CREATE DATABASE {name}")
    database = Database(make_url(admin).set(database=name).render_as_string(hide_password=False))
    migrate(database, "shop_manager")
    yield database
    database.close()
    administer(admin, f"DROP DATABASE {name} WITH (FORCE)")


def opens(database: Database, guests: GuestSessions, clerk: str, origin: Origin = HOME, lasts: int = hours(1)) -> str:
    """The code of the refusal, or nothing."""
    guests.count()
    with database.begin() as tx:
        line = guests.session(clerk, origin, {"clerk": {"id": clerk}}, tx.now() + lasts)
        [problem] = guests.take(tx, [line])
    return problem.code if problem else ""


def ends(database: Database, clerk: str) -> None:
    """The Clerk is there, and has ended."""
    row = {
        column.name: 0 if isinstance(column.type, Integer) else "x"
        for column in clerks.columns
        if column.computed is None
    }
    with database.begin() as tx:
        tx.execute(insert(clerks).values({**row, "id": clerk, "status": "canceled", "wake_at": None}))


def test_S5_live_sessions_are_counted_by_address_until_they_end(database: Database) -> None:
    now = 100.0
    guests = GuestSessions(database, FEW, str, lambda: now)
    assert [opens(database, guests, f"clk_{number}") for number in range(4)] == ["", "", "", "too_many_sessions"]
    assert opens(database, guests, "clk_5", NEXT_DOOR) == ""
    ends(database, "clk_1")
    assert opens(database, guests, "clk_6") == "too_many_sessions"  # it has looked a moment ago
    now += 1
    assert [opens(database, guests, f"clk_{number}") for number in (7, 8)] == ["", "too_many_sessions"]


def test_S5_a_network_has_its_part_of_the_hour_and_lines_are_forgotten(database: Database) -> None:
    guests = GuestSessions(database, FEW, str, lambda: 100.0)
    told = [opens(database, guests, f"clk_{number}", lasts=0) for number in range(7)]
    assert told == [""] * 6 + ["too_many_sessions"]
    assert opens(database, guests, "clk_8", Origin("192.0.2.1", "192.0.2.1"), lasts=0) == ""
    with database.begin() as tx:
        tx.execute(text("UPDATE guest_sessions SET opened_at = opened_at - 3600000"))
    forget_old(database)
    with database.read() as tx:
        assert list(tx.execute(select(guest_sessions))) == []
    assert opens(database, guests, "clk_9", lasts=0) == ""


def test_S5_many_at_the_same_moment_overrun_the_limit_by_no_more_than_there_are_connections(database: Database) -> None:
    guests = GuestSessions(database, GuestLimits(per_address=20, per_hour=10_000), str)
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda number: opens(database, guests, f"clk_{number}"), range(100)))
    most = 20 if database.dialect == "sqlite" else 20 + 8
    assert set(told) == {"", "too_many_sessions"} and 20 <= told.count("") <= most


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # PostgreSQL's planner takes a tiny table whole
def test_the_counts_read_the_indexes_only(database: Database) -> None:
    plans: list[str] = []
    with database.begin() as tx:
        _explain(database.engine, plans)
        guests = GuestSessions(database, FEW, str)
        guests.count()
        guests.take(tx, [guests.session("clk_1", HOME, {}, tx.now() + 1)])
    counts = [line for line in plans if "guest_sessions" in line]
    assert len(counts) == 3 and all("USING COVERING INDEX guest_sessions_" in line for line in counts), plans


def _explain(engine: Engine, plans: list[str]) -> None:
    @event.listens_for(engine, "before_cursor_execute")
    def explain(connection: object, cursor: object, statement: str, parameters: object, *_: object) -> None:
        if "guest_sessions" in statement:
            execute = cursor.execute  # type: ignore[attr-defined]  # a DB-API cursor
            plans.extend(row[3] for row in execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall())
