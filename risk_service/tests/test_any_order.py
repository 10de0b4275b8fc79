"""U3: do and undo commute, in any order, any number of times, however they fall into batches."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.messages import Command
from messaging.database import Database
from risk_service.store import metadata
from risk_service.tests.commands import business_rows, releases, replies_to, reserves

WANTED: tuple[tuple[int, str | None], ...] = ((4_000, "ada"), (7_000, "ada"), (10_001, "ada"), (5_000, None))
RUNS = count()
Acts = list[tuple[bool, int, bool]]
"""(is it an undo?, which of the sessions, does a batch end after it?)"""


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('risk')}/risk.db")
    metadata.create_all(database.engine)
    yield database
    database.close()


def perform(database: Database, run: int, acts: Acts) -> None:
    batch: list[Command] = []
    for undo, number, ends in acts:
        session, (total, customer) = f"clk_{run}_{number}", WANTED[number]
        batch.append(releases(session, total, customer) if undo else reserves(session, total, customer))
        if ends:
            replies_to(database, *batch)
            batch = []
    if batch:
        replies_to(database, *batch)


acts = st.lists(st.tuples(st.booleans(), st.integers(0, len(WANTED) - 1), st.booleans()), max_size=12)


@settings(max_examples=80, deadline=None)
@given(acts)
def test_whatever_came_before_an_undone_session_leaves_nothing(lasting: Database, acts: Acts) -> None:
    before, run = business_rows(lasting), next(RUNS)
    perform(lasting, run, acts)
    reserved = sum(row[2] for row in business_rows(lasting)["reservations"] if row[1] == "ada")
    assert reserved <= 10_000, "at no time is more lent than the limit"
    perform(lasting, run, [(True, number, False) for number in range(len(WANTED))])
    assert business_rows(lasting) == before
