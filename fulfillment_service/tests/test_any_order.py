"""U3: do and undo commute, in any order, any number of times, however they fall into batches."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.messages import Command
from fulfillment_service.store import metadata
from fulfillment_service.tests.commands import allocates, releases, replies_to, statuses, stock_now, stocks
from messaging.database import Database

ORDERED = ({"SQUEAKY-BONE": 2}, {"SQUEAKY-BONE": 9, "SQUEAKY-DUCK": 1}, {"SQUEAKY-DUCK": 4}, {"SQUEAKY-DUCK": 3})
RUNS = count()
Acts = list[tuple[bool, int, bool]]
"""(is it an undo?, which of the sessions, does a batch end after it?)"""


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    folder: Path = tmp_path_factory.mktemp("fulfillment")
    database = Database(f"sqlite:///{folder}/fulfillment.db")
    metadata.create_all(database.engine)
    stocks(database, {"SQUEAKY-BONE": 10, "SQUEAKY-DUCK": 3})
    yield database
    database.close()


def session_of(run: int, number: int) -> str:
    return f"clk_{run}_{number}"


def perform(database: Database, run: int, acts: Acts) -> None:
    batch: list[Command] = []
    for undo, number, ends in acts:
        session = session_of(run, number)
        batch.append(releases(session) if undo else allocates(session, ORDERED[number]))
        if ends:
            replies_to(database, *batch)
            batch = []
    if batch:
        replies_to(database, *batch)


def undo_all(database: Database, run: int) -> None:
    replies_to(database, *(releases(session_of(run, number)) for number in range(len(ORDERED))))


acts = st.lists(st.tuples(st.booleans(), st.integers(0, len(ORDERED) - 1), st.booleans()), max_size=12)


@settings(max_examples=60, deadline=None)
@given(acts)
def test_whatever_came_before_the_undo_the_stock_is_as_before(lasting: Database, acts: Acts) -> None:
    before, run = stock_now(lasting), next(RUNS)
    perform(lasting, run, acts)
    undo_all(lasting, run)
    assert stock_now(lasting) == before
    assert set(statuses(lasting, [session_of(run, number) for number in range(len(ORDERED))]).values()) <= {"released"}


@settings(max_examples=60, deadline=None)
@given(acts)
def test_what_is_reserved_is_what_live_shipments_hold_and_never_more_than_there_is(
    lasting: Database, acts: Acts
) -> None:
    run = next(RUNS)
    perform(lasting, run, acts)
    sessions = {session_of(run, number): ordered for number, ordered in enumerate(ORDERED)}
    live = [name for name, status in statuses(lasting, sessions).items() if status == "allocated"]
    for sku, (on_hand, reserved, _) in stock_now(lasting).items():
        assert reserved == sum(sessions[session].get(sku, 0) for session in live)
        assert on_hand >= 0
    undo_all(lasting, run)
