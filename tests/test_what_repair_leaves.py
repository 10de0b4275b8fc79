"""`clerk verify` finds what no repair can put right: history, effects, documents, keys, parked messages.

What can be repaired is in test_repair.py. Each test damages a copy of one shop's files, which has a completed order.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

import orjson
import pytest
from sqlalchemy import delete, select, update

from clerk_cli.databases import files_in, opened_shop
from messaging.database import Database
from messaging.parked import ParkedMessage, park
from payment_service import store as payment_store
from risk_service import store as risk_store
from shop_manager.engine.tables import clerks, history, idempotency
from tests.whole_shop import WholeShop
from verifier import check

Databases = Mapping[str, Database]


@pytest.fixture(scope="module")
def sold(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The files of a shop that has stopped, and the id of the one order in it."""
    folder = tmp_path_factory.mktemp("sold")
    with WholeShop(folder) as shop:
        clerk = shop.order(client_reference="web-1")["id"]
    return folder, clerk


@pytest.fixture
def clerk(sold: tuple[Path, str]) -> str:
    return sold[1]


@pytest.fixture
def databases(sold: tuple[Path, str], tmp_path: Path) -> Iterator[Databases]:
    copy = tmp_path / "copy"
    shutil.copytree(sold[0], copy)
    with _opened(copy) as databases:
        yield databases


def _opened(folder: Path) -> AbstractContextManager[Databases]:
    return opened_shop(files_in(folder), None)


def found(databases: Databases, *, parked: Collection[str] | None = None) -> list[tuple[str, str | None]]:
    """(invariant, Clerk) of every violation."""
    violations = check(databases, expected_parked=parked, patience=0)
    return [(violation.invariant, violation.clerk) for violation in violations]


def test_a_shop_that_nobody_has_damaged_is_clean(databases: Databases) -> None:
    assert found(databases, parked=()) == []


def test_I2_what_happens_after_the_end_is_found(databases: Databases, clerk: str) -> None:
    with databases["shop_manager"].begin() as tx:
        last = tx.execute(select(history).where(history.c.clerk == clerk).order_by(history.c.number.desc())).first()
        assert last is not None
        again = {**last._mapping, "number": last.number + 1, "data": orjson.dumps({"status": "canceled"}).decode()}
        tx.insert(history, [again])
    assert ("I2", clerk) in found(databases)


def test_I7_money_that_the_provider_moved_and_nobody_recorded_is_found(databases: Databases, clerk: str) -> None:
    calls = payment_store.provider_calls
    with databases["payment"].begin() as tx:
        assert tx.execute(delete(calls).where(calls.c.clerk == clerk, calls.c.kind == "capture")).rowcount == 1
    assert ("I7", clerk) in found(databases)


def test_I9_a_gap_in_the_history_is_found(databases: Databases, clerk: str) -> None:
    with databases["shop_manager"].begin() as tx:
        assert tx.execute(delete(history).where(history.c.clerk == clerk, history.c.number == 3)).rowcount == 1
    assert ("I9", clerk) in found(databases)


def test_I11_a_section_that_somebody_else_has_changed_is_found(databases: Databases, clerk: str) -> None:
    with databases["shop_manager"].begin() as tx:
        row = clerks.c.id == clerk
        document = orjson.loads(tx.execute(select(clerks.c.document).where(row)).scalar_one())
        document["credit"]["amount"] += 1
        tx.execute(update(clerks).where(row).values(document=orjson.dumps(document).decode()))
    assert ("I11", clerk) in found(databases)


@pytest.mark.parametrize(
    ("answered_id", "expected"), [("clk_somebody_elses", [("I13", None)]), (None, [])], ids=["untrue", "true"]
)
def test_I13_an_answer_under_a_key_that_is_not_true_is_found(
    databases: Databases, clerk: str, answered_id: str | None, expected: list[tuple[str, str | None]]
) -> None:
    answer = orjson.dumps({"id": answered_id or clerk}).decode()
    row = {"scope": "s" * 64, "key": "k", "body": "b" * 64, "clerk": clerk, "answer": answer, "at": 1}
    with databases["shop_manager"].begin() as tx:
        tx.insert(idempotency, [row])
    assert found(databases) == [(invariant, clerk) for invariant, _ in expected]


def test_I13_two_keys_of_one_clerk_are_found(databases: Databases, clerk: str) -> None:
    answer = orjson.dumps({"id": clerk}).decode()
    rows = [
        {"scope": "s" * 64, "key": key, "body": "b" * 64, "clerk": clerk, "answer": answer, "at": 1} for key in "kl"
    ]
    with databases["shop_manager"].begin() as tx:
        tx.insert(idempotency, rows)
    assert found(databases) == [("I13", clerk)]


def test_I15_what_is_parked_is_exactly_what_was_put_in(databases: Databases) -> None:
    bad = ParkedMessage("shop_manager", "shop_manager.replies.v1", "it is no JSON", "msg_1", b"nonsense")
    with databases["shop_manager"].begin() as tx:
        park(tx, risk_store.technical.parked, [bad], tx.now())
    assert found(databases, parked=()) == [("I15", None)]
    assert found(databases, parked=[bad.id]) == []
    assert found(databases, parked=[bad.id, "another"]) == [("I15", None)]
