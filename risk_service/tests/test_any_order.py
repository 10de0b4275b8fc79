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
from risk_service.tests.commands import answers, business_rows, releases, reserves

WISHES: tuple[tuple[int, str | None], ...] = ((4_000, "ada"), (7_000, "ada"), (10_001, "ada"), (5_000, None))
RUNS = count()
Play = list[tuple[bool, int, bool]]
"""(is it an undo?, which of the sessions, does a batch end after it?)"""


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('risk')}/risk.db")
    metadata.create_all(database.engine)
    yield database
    database.close()


def play(database: Database, run: int, moves: Play) -> None:
    batch: list[Command] = []
    for undo, number, ends in moves:
        session, (total, customer) = f"clk_{run}_{number}", WISHES[number]
        batch.append(releases(session, total, customer) if undo else reserves(session, total, customer))
        if ends:
            answers(database, *batch)
            batch = []
    if batch:
        answers(database, *batch)


moves = st.lists(st.tuples(st.booleans(), st.integers(0, len(WISHES) - 1), st.booleans()), max_size=12)


@settings(max_examples=80, deadline=None)
@given(moves)
def test_whatever_came_before_an_undone_session_leaves_nothing(lasting: Database, moves: Play) -> None:
    before, run = business_rows(lasting), next(RUNS)
    play(lasting, run, moves)
    reserved = sum(row[2] for row in business_rows(lasting)["reservations"] if row[1] == "ada")
    assert reserved <= 10_000, "at no time is more lent than the limit"
    play(lasting, run, [(True, number, False) for number in range(len(WISHES))])
    assert business_rows(lasting) == before
