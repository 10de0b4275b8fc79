"""What every store promises that production relies on; each test runs against each of them, the simulated ones too.

So a simulation over stores in memory shows something about SQLite files and PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    bindparam,
    delete,
    func,
    select,
    tuple_,
    update,
)
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, ProgrammingError

from messaging.database import Database
from messaging.database_time import NOW
from messaging.statements import KEYS
from messaging.tests.databases import given_postgres, new_sqlite

metadata = MetaData()
goods = Table(
    "goods_of_the_store_contract",
    metadata,
    Column("shelf", String(20), primary_key=True),
    Column("sku", String(20), primary_key=True),
    Column("pieces", BigInteger, nullable=False),
    Column("withdrawn", Boolean),
    Column("note", Text),
    Column("image", LargeBinary),
)
letters = Table(
    "letters_of_the_store_contract",
    metadata,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("text", Text, nullable=False),
)
STORES = ["simulated", "simulated with hooks", "sqlite", pytest.param("postgresql", marks=pytest.mark.database)]
STORED = "goods_of_the_store_contract.pieces = excluded.pieces - 1"


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "postgresql":
        with given_postgres(metadata) as database:
            yield database
    elif request.param == "sqlite":
        with new_sqlite(tmp_path, metadata, lambda: 42) as database:
            yield database
    else:
        from simulation.database_hooks import HasHooks, NoHooks, with_hooks  # noqa: PLC0415  PostgreSQL needs none of it
        from simulation.stores import in_memory  # noqa: PLC0415  as above

        database = in_memory(metadata, lambda: 42)
        hooked = cast("HasHooks", SimpleNamespace(hooks=NoHooks()))
        yield with_hooks(database, "shop", hooked) if "hooks" in request.param else database
        database.close()


def one(sku: str, pieces: int = 1, **more: Any) -> dict[str, Any]:
    return {"shelf": "A", "sku": sku, "pieces": pieces, "withdrawn": None, "note": None, "image": None, **more}


def stocked(store: Database, *rows: dict[str, Any]) -> None:
    with store.begin() as tx:
        tx.insert(goods, rows)


def pieces(store: Database) -> dict[str, int]:
    with store.read() as tx:
        return {row.sku: row.pieces for row in tx.execute(select(goods.c.sku, goods.c.pieces))}


def test_M1_what_is_committed_is_there_and_everything_of_it(store: Database) -> None:
    with store.begin() as tx:
        tx.insert(goods, [one("BONE"), one("DUCK", 2)])
        tx.insert_numbered(letters, [{"text": "sent"}], "number")
    with store.read() as tx:
        assert tx.execute(select(func.count()).select_from(letters)).scalar_one() == 1
    assert pieces(store) == {"BONE": 1, "DUCK": 2}


class Dies(BaseException):
    """No `except Exception` catches it: so ends a process."""


@pytest.mark.parametrize("end", [ZeroDivisionError, Dies])
def test_M1_what_is_not_committed_is_gone_and_everything_of_it(store: Database, end: type[BaseException]) -> None:
    stocked(store, one("BONE"))

    def ends_inside() -> None:
        with store.begin() as tx:
            tx.insert(goods, [one("DUCK")])
            tx.execute(update(goods).values(pieces=99))
            tx.execute(delete(goods).where(goods.c.sku == "BONE"))
            raise end

    with pytest.raises(end):
        ends_inside()
    assert pieces(store) == {"BONE": 1}


def test_a_store_goes_on_after_a_transaction_that_failed(store: Database) -> None:
    def adds_twice() -> None:
        with store.begin() as tx:
            tx.insert(goods, [one("BONE"), one("BONE")])

    with pytest.raises(IntegrityError):
        adds_twice()
    stocked(store, one("DUCK"))
    assert pieces(store) == {"DUCK": 1}


def test_a_transaction_sees_what_it_has_written_itself(store: Database) -> None:
    with store.begin() as tx:
        tx.insert(goods, [one("BONE", 5)])
        assert tx.execute(select(goods.c.pieces)).scalar_one() == 5


def test_T3_a_compare_and_set_tells_how_many_it_has_written(store: Database) -> None:
    stocked(store, one("BONE", 1), one("DUCK", 7))
    with store.begin() as tx:
        written = tx.upsert(goods, [one("BONE", 2), one("DUCK", 2), one("BALL", 2)], ["shelf", "sku"], only_if=STORED)
    assert written == 2
    assert pieces(store) == {"BONE": 2, "DUCK": 7, "BALL": 2}


def test_an_upsert_keeps_what_it_is_told_to_keep(store: Database) -> None:
    stocked(store, one("BONE", 1, note="first"))
    with store.begin() as tx:
        tx.upsert(goods, [one("BONE", 2, note="second")], ["shelf", "sku"], keep=["note"])
    with store.read() as tx:
        assert tuple(tx.execute(select(goods.c.pieces, goods.c.note)).one()) == (2, "first")


def test_insert_new_leaves_what_is_there_and_counts_what_is_new(store: Database) -> None:
    stocked(store, one("BONE", 1))
    with store.begin() as tx:
        assert tx.insert_new(goods, [one("BONE", 9), one("DUCK", 9)], ["shelf", "sku"]) == 1
    assert pieces(store) == {"BONE": 1, "DUCK": 9}


def test_numbers_grow_and_come_in_the_order_of_the_rows(store: Database) -> None:
    with store.begin() as tx:
        first = tx.insert_numbered(letters, [{"text": str(n)} for n in range(30)], "number")
        second = tx.insert_numbered(letters, [{"text": "last"}], "number")
    assert first == sorted(first) and second[0] > first[-1]
    with store.read() as tx:
        kept = {row.number: row.text for row in tx.execute(select(letters))}
    assert [kept[number] for number in first] == [str(n) for n in range(30)]


def test_updates_and_deletes_tell_how_many_rows_they_met(store: Database) -> None:
    stocked(store, one("BONE"), one("DUCK"), one("BALL"))
    with store.begin() as tx:
        assert tx.execute(update(goods).where(goods.c.sku != "BALL").values(pieces=3)).rowcount == 2
        assert tx.execute(delete(goods).where(goods.c.pieces == 3)).rowcount == 2
        assert tx.execute(delete(goods).where(goods.c.sku == "NOTHING")).rowcount == 0


def test_rows_come_in_the_order_that_was_asked_for_and_no_more_than_asked_for(store: Database) -> None:
    stocked(store, one("b", 2), one("a", 2), one("C", 1), one("d", 3))
    with store.read() as tx:
        rows = tx.execute(select(goods.c.sku).order_by(goods.c.pieces, goods.c.sku).limit(3)).all()
    assert [row[0] for row in rows] == ["C", "a", "b"]


def test_rows_are_found_by_lists_of_keys_also_empty_ones(store: Database) -> None:
    stocked(store, one("BONE"), one("DUCK"))
    of_two = select(goods.c.sku).where(tuple_(goods.c.shelf, goods.c.sku).in_(KEYS)).order_by(goods.c.sku)
    of_one = select(goods.c.sku).where(goods.c.sku.in_(KEYS)).order_by(goods.c.sku)
    with store.read() as tx:
        for keys, found in (
            ([("A", "DUCK"), ("B", "BONE")], ["DUCK"]),
            ([("A", "BONE"), ("A", "DUCK")], ["BONE", "DUCK"]),
        ):
            assert [row.sku for row in tx.execute(of_two, {"keys": keys})] == found
        for names, found in ((["DUCK", "NO"], ["DUCK"]), ([], []), (["BONE", "DUCK", "X"], ["BONE", "DUCK"])):
            assert [row.sku for row in tx.execute(of_one, {"keys": names})] == found


def test_a_statement_that_is_built_once_takes_new_values_each_time(store: Database) -> None:
    stocked(store, one("BONE", 1), one("DUCK", 2))
    least = select(goods.c.sku).where(goods.c.pieces >= bindparam("least")).order_by(goods.c.sku).limit(2)
    with store.read() as tx:
        assert [[row.sku for row in tx.execute(least, {"least": number})] for number in (1, 2, 3)] == [
            ["BONE", "DUCK"],
            ["DUCK"],
            [],
        ]
        other = select(goods.c.sku).where(goods.c.pieces >= bindparam("least")).order_by(goods.c.sku).limit(1)
        assert [row.sku for row in tx.execute(other, {"least": 1})] == ["BONE"]
        assert [row.sku for row in tx.execute(least, {"least": 1})] == ["BONE", "DUCK"]


def test_values_come_back_as_what_they_were(store: Database) -> None:
    row = one("BÖNE", 2**53, withdrawn=True, note="“ünï” 🦴", image=b"\x00\xff")
    stocked(store, row, one("NULL", 0), one("FALSE", 0, withdrawn=False))
    with store.read() as tx:
        found = {each.sku: dict(each._mapping) for each in tx.execute(select(goods))}
    assert {**found["BÖNE"], "image": bytes(found["BÖNE"]["image"])} == row
    assert [found[sku]["withdrawn"] for sku in ("BÖNE", "NULL", "FALSE")] == [True, None, False]


def test_a_row_too_many_is_an_integrity_error(store: Database) -> None:
    stocked(store, one("BONE"))
    with pytest.raises(IntegrityError):
        stocked(store, one("BONE"))


def test_a_value_that_is_missing_is_an_integrity_error(store: Database) -> None:
    with pytest.raises(IntegrityError):
        stocked(store, {**one("BONE"), "pieces": None})


def test_a_table_that_is_missing_is_an_error_of_the_database_and_not_of_the_row(store: Database) -> None:
    with pytest.raises((OperationalError, ProgrammingError)), store.read() as tx:
        tx.execute(select(Table("nobody_has_made_it", MetaData(), Column("id", Integer))))


def test_whoever_only_reads_leaves_nothing_behind(store: Database) -> None:
    stocked(store, one("BONE"))
    with suppress(DBAPIError), store.read() as tx:
        tx.insert(goods, [one("DUCK")])
    assert pieces(store) == {"BONE": 1}
    with suppress(DBAPIError), store.read() as tx:
        tx.execute(delete(goods))
    assert pieces(store) == {"BONE": 1}


def test_T4_one_transaction_has_one_time_that_of_its_locks(store: Database) -> None:
    with store.begin() as tx:
        locked = tx.lock(["b", "a"])
        assert tx.now() == tx.now() == locked


def test_many_rows_come_back_as_what_they_were(store: Database) -> None:
    odd = ['"', "\\", '\\"', "{a,b}", "NULL", "", " ", "a'b", "ünï 🦴\n", "%s", None]
    rows = [one(f"sku {n}", n * 2**40, withdrawn=(None, True, False)[n % 3], note=odd[n]) for n in range(len(odd))]
    images = (None, b"", b"\x00\xff\\", b'"{}', b"\\x41", "'ü\\".encode(), b"a\0", b"'\\'")
    rows = [{**row, "image": images[n % len(images)]} for n, row in enumerate(rows)]
    stocked(store, *rows)
    with store.read() as tx:
        found = [dict(each._mapping) for each in tx.execute(select(goods).order_by(goods.c.pieces))]
    assert [{**each, "image": each["image"] and bytes(each["image"])} for each in found] == rows


def test_T3_a_compare_and_set_of_many_rows_tells_how_many_it_has_written(store: Database) -> None:
    stocked(store, *[one(f"sku {n}", 1 + n % 2) for n in range(20)])
    with store.begin() as tx:
        changed = [one(f"sku {n}", 2) for n in range(20)]
        assert tx.upsert(goods, changed, ["shelf", "sku"], only_if=STORED) == 10


def test_a_text_that_is_too_long_is_refused_also_among_many(store: Database) -> None:
    if store.dialect == "sqlite":
        pytest.skip("SQLite does not look at how long a text is")
    with pytest.raises(DBAPIError):
        stocked(store, *[one(f"sku {n}" * 4) for n in range(20)])


@pytest.mark.parametrize("count", [1, 20])
def test_a_text_with_a_nul_is_refused_and_nothing_of_it_is_kept(store: Database, count: int) -> None:
    if store.dialect == "sqlite":
        pytest.skip("SQLite keeps a NUL")
    with pytest.raises(ValueError, match="NUL"):
        stocked(store, *[one(f"sku {n}", note="a\0b") for n in range(count)])
    assert pieces(store) == {}


def test_a_look_sees_what_is_committed_and_the_time(store: Database) -> None:
    stocked(store, one("BONE", 42), one("DUCK", 2 * 10**12))
    with store.look() as tx:
        rows = tx.execute(select(goods.c.sku, NOW.label("now")).where(goods.c.pieces <= NOW)).all()
    with store.begin() as tx:
        latest = tx.now()
    assert [row.sku for row in rows] == ["BONE"]
    assert 42 <= rows[0].now <= latest


def test_rows_are_deleted_by_what_one_column_has(store: Database) -> None:
    stocked(store, one("BONE"), one("DUCK"), one("BALL"))
    with store.begin() as tx:
        tx.delete(goods.c.sku, {"BONE", "BALL", "CAT"})
        tx.delete(goods.c.sku, [])
        assert [row.sku for row in tx.execute(select(goods.c.sku))] == ["DUCK"]


def test_locks_and_the_first_rows_and_the_time_come_together(store: Database) -> None:
    stocked(store, one("BONE", 3, note="x"), one("DUCK"))
    wanted = select(goods.c.sku, goods.c.pieces, goods.c.note).where(goods.c.sku.in_(KEYS))
    with store.begin() as tx:
        now, rows = tx.lock_and_read(["BONE", "DUCK"], wanted, {"keys": ["BONE", "DUCK"]})
        assert sorted((row.sku, row.pieces, row.note) for row in rows) == [("BONE", 3, "x"), ("DUCK", 1, None)]
        assert tx.now() == now
        later, none = tx.lock_and_read([], wanted, {"keys": []})
    assert (list(none), later >= now) == ([], True)


@pytest.mark.parametrize("count", [1, 20])
def test_an_update_sets_rows_that_are_there_and_makes_none(store: Database, count: int) -> None:
    rows = [one(f"sku {n}", n) for n in range(count)]
    stocked(store, *rows)
    changed = [{**row, "note": f'"{row["sku"]}"', "withdrawn": True, "image": b"\\x00"} for row in rows]
    with store.begin() as tx:
        tx.update(goods, [*changed, one("BALL", 2)], ["shelf", "sku"])
        tx.update(goods, [], ["shelf", "sku"])
    with store.read() as tx:
        found = [dict(each._mapping) for each in tx.execute(select(goods).order_by(goods.c.pieces))]
    assert [{**each, "image": bytes(each["image"])} for each in found] == changed


@pytest.mark.parametrize("count", [1, 20])
def test_T3_an_update_with_a_condition_tells_how_many_it_has_written(store: Database, count: int) -> None:
    stocked(store, *[one(f"sku {n}", 1 + n % 2) for n in range(count)])
    with store.begin() as tx:
        changed = [one(f"sku {n}", 2) for n in range(count + 1)]
        written = tx.update(goods, changed, ["shelf", "sku"], only_if=STORED.replace("excluded", "given"))
    assert written == (count + 1) // 2
