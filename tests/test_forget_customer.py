"""`clerk forget-customer` on both databases, beside a running shop: verified clean after it, and kept by no service."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select

from clerk_cli.databases import files_in, open_one
from clerk_cli.main import run
from clerk_cli.services import the_service
from domain.messages import SHOP_MANAGER
from shop_manager.engine.tables import search_schema
from tests.test_repair import BOTH, ShopDatabases, _any_password, new_databases
from tests.whole_shop import WholeShop

__all__ = ["_any_password"]
PERSON: dict[str, Any] = {"name": "Zoraida Quint", "shipping_address": {"line1": "7 Quintessence Row"}}


@pytest.mark.parametrize("dialect", BOTH)
def test_a_customer_is_forgotten_in_shop_manager_and_where_parcels_are(
    dialect: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with new_databases(dialect, tmp_path) as template, WholeShop(template) as shop:
        databases = ShopDatabases(template)
        done = shop.order(**PERSON)["id"]
        failed = shop.order(token="tok_declined", **PERSON)["id"]
        live = shop.ask("POST", "/shop/session", shop.server_key, {"customer": "ada"})["id"]
        shop.until(lambda: knows_its_secret(template))
        refused = run(["forget-customer", "ada", "--reason", "request 17", "--database", template])
        assert (refused, live in capsys.readouterr().out) == (1, True)
        shop.ask("POST", f"/shop/session/{live}/cancel", shop.server_key)
        shop.ended(live)
        code, found = databases.run_clerk(capsys, "forget-customer", "ada", "--reason", "request 17")
        assert (code, set(found["orders"]), found["erased"]) == (0, {done, failed, live}, 3)
        assert (found["services"]["fulfillment"], "fulfillment" in found["kept"]) == ("erased in 1 parcels", False)
        parcel = shop.ask("GET", f"/fulfillment/{done}", shop.server_key)
        assert (parcel["status"], parcel["name"], parcel["shipping_address"]) == ("shipped", None, None)
        assert shop.ask("GET", f"/shop/session/{done}", shop.server_key)["customer"]["name"] is None
        for text in ("zoraida", "ada@example.com"):
            assert shop.ask("GET", f"/ops/search?q={text}", shop.operator_key)["groups"] == []
        assert databases.run_clerk(capsys, "verify")[1]["drifts"] == []
        code, again = databases.run_clerk(capsys, "forget-customer", "ada", "--reason", "once more")
        assert (code, again["erased"]) == (0, 0)


@pytest.mark.parametrize(
    ("said", "about"),
    [
        (["ada", "--email", "ada@example.com"], "exactly one of"),
        ([], "exactly one of"),
        (["--email", "no address"], "--email"),
        (["ada", "--reason", " "], "--reason"),
    ],
)
def test_a_wrong_request_is_one_line_without_what_was_typed(
    said: list[str], about: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reason = [] if "--reason" in said else ["--reason", "request 17"]
    assert run(["forget-customer", *said, *reason, "--data", str(tmp_path)]) == 2
    told = capsys.readouterr().err.strip()
    assert (about in told, "\n" in told, "no address" in told) == (True, False, False)


def test_without_the_secret_of_the_search_nothing_is_done(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with WholeShop(tmp_path) as shop:
        shop.order()
        shop.until(lambda: bool(shop.ask("GET", "/ops/search?q=ada", shop.operator_key)["groups"]))
        shop.until(lambda: knows_its_secret(files_in(tmp_path)))
        monkeypatch.setenv("CLERK_SECRET", "another-secret-of-nobody-0123456789abcdef")
        assert run(["forget-customer", "ada", "--reason", "request 17", "--data", str(tmp_path), "--json"]) == 2
        assert "CLERK_SECRET is not the one" in json.dumps(capsys.readouterr().err)
        assert shop.ask("GET", "/ops/customers/ada", shop.operator_key)["name"] == "Ada"


def test_before_a_shop_manager_has_noted_its_secret_nothing_is_done(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with WholeShop(tmp_path) as shop:
        shop.order()
    database = open_one(the_service(SHOP_MANAGER), files_in(tmp_path))
    database.erase(delete(search_schema.fill))
    database.close()
    assert run(["forget-customer", "ada", "--reason", "request 17", "--data", str(tmp_path)]) == 2
    told = capsys.readouterr().err.strip()
    assert ("try again" in told, "\n" in told) == (True, False)


def knows_its_secret(template: str) -> bool:
    """Has ShopManager noted of which secret its search is? It does so with its first tick."""
    database = open_one(the_service(SHOP_MANAGER), template)
    try:
        with database.look() as tx:
            return tx.execute(select(search_schema.fill.c.secret)).first() is not None
    finally:
        database.close()
