"""The search goes by indexes only, on SQLite and on PostgreSQL, and finds the same on both."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from messaging.database import Database
from shop_manager.engine.search_index import SearchIndex, rows_of
from shop_manager.engine.search_terms import Term, ends_of
from shop_manager.operations import search
from shop_manager.operations.search import BY_TERM, CLERK_IDS, HASHED, HIGHEST, PARKED_IDS, PREFIXED, term_values
from shop_manager.tests.query_plans import BOTH, analyze, own_database, plan

ENTERED = 20_000
INDEX = SearchIndex(lambda text: text)


@pytest.fixture(params=BOTH)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """ShopManager's tables, with ENTERED orders of one article, each with a reference of its own."""
    with own_database(request.param, tmp_path) as database:
        fill(database)
        analyze(database)
        yield database


def fill(database: Database) -> None:
    shared: set[Term] = {("sku", "bone"), ("name", "name ada")}
    with database.begin() as tx:
        for first in range(0, ENTERED, 2_000):
            rows = []
            for number in range(first, first + 2_000):
                own: set[Term] = {("client_reference", f"ref{number:05d}")}
                rows += rows_of(shared | own, f"clk_{number:032x}", -number)
            INDEX.change(tx, rows)


def test_each_kind_is_one_search_of_the_index_without_sorting(database: Database) -> None:
    with database.read() as tx:
        steps = plan(tx, BY_TERM, term_values(INDEX, "bone@ada", 11))
    kinds = len(PREFIXED) + len(HASHED)
    if database.dialect == "sqlite":
        searches = [step for step in steps if step.startswith("SEARCH search_terms USING PRIMARY KEY (kind=? AND term")]
        assert not [step for step in steps if step.startswith("SCAN search_terms")]
        assert not [step for step in steps if "TEMP B-TREE" in step]
    else:
        searches = [step for step in steps if "Index Cond: " in step and "kind" in step and "term" in step]
        assert not [step for step in steps if "Seq Scan on search_terms" in step]
        assert not [step for step in steps if "Sort" in step]
    assert len(searches) == kinds, "\n".join(steps)


def test_ids_are_searched_by_their_key(database: Database) -> None:
    for statement, low in ((CLERK_IDS, "clk_0193ab"), (PARKED_IDS, "prk_0193ab")):
        with database.read() as tx:
            if database.dialect == "postgresql":  # which reads an empty table as it is
                tx.connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
            steps = plan(tx, statement, {"low": low, "high": f"{low}{search.PAST_HEX}", "most": 11})
        [used] = [step for step in steps if "id>? AND id<?" in step or "Index Cond: " in step]
        assert used


def test_the_latest_of_one_article_come_first_and_a_beginning_finds_all_that_begin_so(database: Database) -> None:
    with database.read() as tx:
        found = search._by_term(tx, INDEX, "BO-N", 3)
        assert [each.id for each in found] == [f"clk_{ENTERED - each:032x}" for each in (1, 2, 3)]
        assert [each.id for each in search._by_term(tx, INDEX, "ref 0123", 20)] == [
            f"clk_{number:032x}" for number in range(1_230, 1_240)
        ]


def test_what_is_entered_twice_is_there_once_and_any_letter_sorts_below_the_highest(database: Database) -> None:
    odd: set[Term] = {("client_reference", each) for each in ends_of("𝕏-Æ-\U0010fffd-日本")}
    for _ in range(2):
        with database.begin() as tx:
            INDEX.change(tx, rows_of(odd, "clk_odd", 0))
    with database.read() as tx:
        assert [each.id for each in search._by_term(tx, INDEX, "日", 5)] == ["clk_odd"]
        assert max(term for _, term in odd) < HIGHEST
