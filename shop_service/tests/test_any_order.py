"""U3: do and undo commute, in any order, any number of times, however they fall into batches."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.messages import Command
from messaging.database import Database
from shop_service.seed_data import fill
from shop_service.store import metadata
from shop_service.tests.commands import business_rows, cancels, replies_to, starts

BRINGS: tuple[dict[str, int] | None, ...] = (
    None,
    {"SQUEAKY-BONE": 2},
    {"SQUEAKY-DUCK": 1, "SQUEAKY-BONE": 3},
    {"BARKING-CAT": 1},
    {},
)
RUNS = count()
Acts = list[tuple[bool, int, bool]]
"""(is it an undo?, which of the sessions, does a batch end after it?)"""


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    folder: Path = tmp_path_factory.mktemp("shop")
    database = Database(f"sqlite:///{folder}/shop.db")
    metadata.create_all(database.engine)
    with database.begin() as tx:
        fill(tx)
    yield database
    database.close()


def perform(database: Database, acts: Acts) -> None:
    run = next(RUNS)
    batch: list[Command] = []
    for undo, number, ends in acts:
        session = f"clk_{run}_{number}"
        batch.append(cancels(session) if undo else starts(session, BRINGS[number]))
        if ends:
            replies_to(database, *batch)
            batch = []
    replies_to(database, *batch, *(cancels(f"clk_{run}_{number}") for number in range(len(BRINGS))))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, len(BRINGS) - 1), st.booleans()), max_size=12))
def test_whatever_came_before_an_undone_session_leaves_nothing(lasting: Database, acts: Acts) -> None:
    before = business_rows(lasting)
    perform(lasting, acts)
    assert business_rows(lasting) == before


@settings(max_examples=40, deadline=None)
@given(st.permutations([False, False, True, True]))
def test_nothing_that_comes_after_an_undo_brings_the_order_back(lasting: Database, undos: list[bool]) -> None:
    before = business_rows(lasting)
    perform(lasting, [(undo, 1, True) for undo in [*undos, True, False, False]])
    assert business_rows(lasting) == before
