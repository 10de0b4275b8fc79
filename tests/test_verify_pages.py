"""`clerk verify` finds the same whoever checks a page, and reads no more of the databases than the page's own rows."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import event

from clerk_cli.databases import opened_shop
from messaging.database import Database
from messaging.facts import Span, as_span
from tests.damages import DAMAGES
from tests.whole_shop import WholeShop
from verifier import check, checking
from verifier.checking import check_clerks
from verifier.facts import Databases, gather, pages
from verifier.second_process import second_process

ORDERS = 3
ONE_ROW = "heartbeat"


@pytest.fixture(scope="module")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    """Of a shop that has stopped: completed and failed orders, and live ones."""
    folder = tmp_path_factory.mktemp("shop")
    with WholeShop(folder) as shop:
        for _ in range(ORDERS):
            shop.order()
            shop.order(token="tok_capture_refused")
            shop.ask("POST", "/shop/session", shop.server_key, {"customer": "ada"})
    with opened_shop(None, folder) as opened:
        yield opened


def test_a_span_and_a_list_have_the_same_facts(databases: Databases) -> None:
    (ids,) = pages(databases, "shop_manager", 100)
    assert isinstance(ids, Span)
    assert len(ids) == 3 * ORDERS
    by_span, by_list = gather(databases, ids, 0), gather(databases, list(ids), 0)
    assert by_span.facts == by_list.facts
    assert all(each.services.shop.turns for each in by_span.facts)
    assert len(gather(databases, as_span(ids[2:5]), 0).facts) == 3


def test_of_ids_in_another_form_there_is_no_span() -> None:
    """Databases may not agree on their order."""
    assert not isinstance(as_span(["clk_1", "clk_2"]), Span)
    assert not isinstance(as_span([]), Span)


def test_no_page_reads_a_whole_table(databases: Databases) -> None:
    (ids,) = pages(databases, "shop_manager", 100)
    scans, count = set(), 0
    for database in databases.values():
        for text, values in statements_of(database, databases, ids):
            count += 1
            scans |= {(text, step) for step in plan_of(database, text, values) if step.startswith("SCAN")}
    assert count > 20
    assert {text for text, step in scans if step != f"SCAN {ONE_ROW}"} == set()


def statements_of(database: Database, databases: Databases, ids: list[str]) -> list[tuple[str, Any]]:
    """What this database is asked for a page, as a span and as a list."""
    asked: list[tuple[str, Any]] = []

    def note(*call: Any) -> None:
        asked.append((call[2], call[3]))

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        gather(databases, ids)
        gather(databases, list(ids))
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
    return [(text, values) for text, values in asked if text.startswith("SELECT")]


def plan_of(database: Database, text: str, values: Any) -> list[str]:
    with database.read() as tx:
        return [row[-1] for row in tx.connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", values)]


@pytest.mark.parametrize("page", [1, 2, 100])
def test_the_second_process_finds_what_the_first_would(
    databases: Databases, page: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {0, 1})
    monkeypatch.setattr(checking, "PAGE", page)
    live = next(damage for damage in DAMAGES if damage.name == "lost deadline")
    every = [clerk for ids in pages(databases, "shop_manager", 100) for clerk in ids]
    for clerk in every[2::3]:
        live.apply(databases, clerk)
    alone = list(check(databases, patience=0))
    counted: list[int] = []
    with second_process(databases, lambda some: list(check_clerks(databases, some, patience=0))) as second:
        together = list(check(databases, patience=0, second=second, progress=counted.append))
    assert len(alone) == ORDERS
    assert together == alone
    assert counted[-1] == 3 * ORDERS
