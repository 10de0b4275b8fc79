"""The list as a file: all of it, a page at a time, of one moment; amounts also as people write them."""

from __future__ import annotations

import csv
from io import StringIO
from typing import Any

import pytest

from domain.times import minutes
from shop_manager.operations import api, export
from shop_manager.tests.http_harness import SERVER, HttpHarness
from shop_manager.tests.test_cost_of_reads import VIEWER, called_off, copy
from shop_manager.tests.test_operations_api import stuck_one

MORE = 10_100


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(text)))


def test_a_file_has_every_line_however_many_and_never_more_than_a_page_is_held(
    harness: HttpHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy(harness, called_off(harness), MORE)
    sizes = list[int]()
    page_of = harness.operations.reads.clerks

    def clerks(*given: Any, **named: Any) -> dict[str, Any]:
        found = page_of(*given, **named)
        sizes.append(len(found["data"]))
        return found

    monkeypatch.setattr(harness.operations.reads, "clerks", clerks)
    for kind in ("csv", "json"):
        sizes.clear()
        answer = harness.get(f"/ops/clerks.{kind}?status=canceled", VIEWER)
        lines = rows_of(answer.text) if kind == "csv" else answer.json()["data"]
        assert len({line["id"] for line in lines}) == len(lines) == MORE + 1
        assert max(sizes) == export.PAGE and len(sizes) == -(-len(lines) // export.PAGE)


def test_the_next_page_is_read_when_the_one_before_was_taken() -> None:
    asked = list[str | None]()

    def page(cursor: str | None) -> dict[str, Any]:
        asked.append(cursor)
        line = {**dict.fromkeys(export.COLUMNS), "stuck": None, "claim": None, "id": f"clk_{len(asked)}"}
        return {"data": [line] * 3, "next_cursor": f"after {len(asked)}"}

    for make, head in ((export.as_csv, 1), (export.as_json_lines, 0)):
        asked.clear()
        chunks = make(page)
        for _ in range(head):
            next(chunks)
        assert asked == []
        assert next(chunks).count(b"clk_1") == 3 and asked == [None]
        assert next(chunks).count(b"clk_2") == 3 and asked == [None, "after 1"]


def test_reference_customer_and_decimal_amounts_stand_beside_minor_units(harness: HttpHarness) -> None:
    clerk = harness.brings_all(SERVER, customer="ada", client_reference="=web-7")["id"]
    harness.goes_on_to_the_end()
    [row] = rows_of(harness.get("/ops/clerks.csv", VIEWER).text)
    assert list(row)[:17] == list(export.COLUMNS[:17]) and list(row)[17:] == [
        "client_reference",
        "amount",
        "claimed_by",
    ]
    assert (row["id"], row["customer"], row["client_reference"]) == (clerk, "ada", "'=web-7")
    assert (row["total"], row["currency"], row["amount"]) == ("2590", "EUR", "25.90")
    [line] = harness.get("/ops/clerks.json", VIEWER).json()["data"]
    [listed] = harness.get("/ops/clerks", VIEWER).json()["data"]
    assert line == {**listed, "amount": "25.90"} and listed["client_reference"] == "=web-7"


def test_an_amount_without_a_total_is_empty_and_a_currency_without_decimals_has_none() -> None:
    lines = [
        {**dict.fromkeys(export.COLUMNS), "stuck": None, "claim": None, "total": total, "currency": currency}
        for total, currency in ((None, "EUR"), (1200, "JPY"), (5, "BHD"))
    ]
    text = b"".join(export.as_csv(lambda _: {"data": lines, "next_cursor": None})).decode()
    assert [row["amount"] for row in rows_of(text)] == ["", "1200", "0.005"]


def test_what_changed_lately_is_of_the_moment_when_the_file_began(
    harness: HttpHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = {stuck_one(harness) for _ in range(3)}
    monkeypatch.setattr(api, "PAGE", 1)
    page_of = harness.operations.reads.clerks

    def clerks(*given: Any, **named: Any) -> dict[str, Any]:
        harness.now += minutes(40)
        return page_of(*given, **named)

    monkeypatch.setattr(harness.operations.reads, "clerks", clerks)
    found = harness.get("/ops/clerks.json?updated_since=1h", VIEWER).json()["data"]
    assert {line["id"] for line in found} == made
