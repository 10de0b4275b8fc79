"""Each damage is found and named by `clerk verify`, listed and repaired by `clerk repair`, and gone after it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from clerk_cli.databases import files_in, opened_shop
from clerk_cli.main import run
from tests.damages import DAMAGES, UNTOLD, Damage, leak_credit
from tests.postgres import admin_url, administer
from tests.whole_shop import WholeShop

BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.database)]


class ShopDatabases:
    """A shop's databases, at a URL template, to be damaged, verified and repaired."""

    def __init__(self, template: str) -> None:
        self.template = template

    def damage(self, damage: Damage, clerk: str) -> None:
        with opened_shop(self.template, None) as databases:
            damage.apply(databases, clerk)

    def run_clerk(self, capsys: pytest.CaptureFixture[str], command: str, *more: str) -> tuple[int, Any]:
        """The exit code and the JSON that it prints."""
        capsys.readouterr()
        code = run([command, *more, "--json", "--database", self.template])
        return code, json.loads(capsys.readouterr().out)


@pytest.fixture(autouse=True)
def _any_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """The PostgreSQL that tests are given may have one that production must not have."""
    monkeypatch.setenv("CLERK_DEVELOPMENT", "yes")


@pytest.fixture(scope="module", params=BOTH)
def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[ShopDatabases, Any]]:
    """A running shop, and the ids of a failed, a completed and a live Clerk in it."""
    with new_databases(request.param, tmp_path_factory.mktemp("shop")) as template, WholeShop(template) as shop:
        yield ShopDatabases(template), shop_with_clerks(shop)


@contextmanager
def new_databases(dialect: str, folder: Path) -> Iterator[str]:
    """The URL template of a new shop's databases."""
    if dialect == "sqlite":
        yield files_in(folder)
        return
    name = f"repair_{secrets.token_hex(4)}"
    administer(admin_url(), f"CREATE DATABASE {name}")
    yield make_url(admin_url()).set(database=name).render_as_string(hide_password=False)
    administer(admin_url(), f"DROP DATABASE {name} WITH (FORCE)")


def shop_with_clerks(shop: WholeShop) -> Mapping[str, str]:
    return {
        "failed": shop.order(token="tok_capture_refused")["id"],
        "completed": shop.order()["id"],
        "live": shop.ask("POST", "/shop/session", shop.server_key, {"customer": "ada"})["id"],
    }


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.name)
def test_I1_I3_I4_I5_I6_I10_I12_I14_I18_a_damage_is_found_named_and_repaired_while_the_shop_is_running(
    running: tuple[ShopDatabases, Mapping[str, str]], damage: Damage, capsys: pytest.CaptureFixture[str]
) -> None:
    databases, ids = running
    clerk = ids[damage.concerns]
    databases.damage(damage, clerk)
    code, found = databases.run_clerk(capsys, "verify")
    assert (code, found["clean"]) == (1, False)
    assert {(drift["clerk"], drift["invariant"]) for drift in found["drifts"]} == {
        (clerk, invariant) for invariant in damage.invariants
    }
    code, plan = databases.run_clerk(capsys, "repair", "--dry-run")
    assert (code, [(act["clerk"], act["state"]) for act in plan["acts"]]) == (1, [(clerk, "planned")])
    assert damage.repair in plan["acts"][0]["repair"]
    code, done = databases.run_clerk(capsys, "repair")
    assert (code, [act["state"] for act in done["acts"]], done["left"]) == (0, ["done"], [])
    code, after = databases.run_clerk(capsys, "verify")
    assert (code, after["drifts"]) == (0, [])


@pytest.mark.parametrize("dialect", BOTH)
def test_all_damages_at_once_are_repaired_while_the_shop_is_stopped(
    dialect: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with new_databases(dialect, tmp_path) as template:
        with WholeShop(template) as shop:
            several = [shop_with_clerks(shop) for _ in DAMAGES]
        databases = ShopDatabases(template)
        for damage, ids in zip(DAMAGES, several, strict=True):
            databases.damage(damage, ids[damage.concerns])
        code, done = databases.run_clerk(capsys, "repair")
        assert (code, done["left"]) == (0, [])
        assert {act["clerk"] for act in done["acts"]} == {
            ids[damage.concerns] for damage, ids in zip(DAMAGES, several, strict=True)
        }
        assert {act["state"] for act in done["acts"]} == {"done"}
        assert databases.run_clerk(capsys, "verify")[0] == 0
        assert databases.run_clerk(capsys, "repair") == (0, {"dry_run": False, "clean": True, "acts": [], "left": []})


def test_a_repair_can_be_done_again_after_the_same_damage(
    running: tuple[ShopDatabases, Mapping[str, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    databases, ids = running
    for _ in range(2):
        databases.damage(DAMAGES[0], ids["failed"])
        assert databases.run_clerk(capsys, "repair")[0] == 0
        assert databases.run_clerk(capsys, "verify")[0] == 0


def test_a_repair_is_told_in_the_clerks_timeline_and_the_audit_and_a_check_to_the_dashboard(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with WholeShop(tmp_path) as shop:
        session = shop.order(token="tok_declined")["id"]
        with opened_shop(None, tmp_path) as databases:
            leak_credit(databases, session)
        assert ShopDatabases(files_in(tmp_path)).run_clerk(capsys, "verify")[0] == 1
        assert ShopDatabases(files_in(tmp_path)).run_clerk(capsys, "repair")[0] == 0
        path = f"/ops/clerks/{session}/timeline?limit=200"
        lines = shop.ask("GET", path, shop.operator_key)["data"]
        [audited] = shop.ask("GET", "/ops/audit?action=repair", shop.operator_key)["data"]
        checked = shop.ask("GET", "/ops/checks", shop.operator_key)
    assert (audited["who"], audited["target"]) == ("clerk repair", f"clerk:{session}")
    assert (checked["latest"]["found"], checked["latest"]["clerks"]) == (1, 1)
    [note] = [line for line in lines if line["what"] == "note"]
    assert note["data"]["by"] == "clerk repair"
    assert "ReleaseCredit" in note["data"]["text"]
    assert [line["message"] for line in lines if line["what"] == "ignored"] == [f"{session}/credit/2/undo/reply"]


def test_I8_what_a_service_has_parked_is_told_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    databases = ShopDatabases(files_in(tmp_path))
    with WholeShop(tmp_path) as shop:
        shop.order()
        databases.damage(UNTOLD, "")
        code, found = databases.run_clerk(capsys, "verify")
        assert code == 1
        assert {drift["invariant"] for drift in found["drifts"]} == UNTOLD.invariants
        assert databases.run_clerk(capsys, "repair")[0] == 0
        assert databases.run_clerk(capsys, "verify")[0] == 0
        shop.until(lambda: len(shop.ask("GET", "/ops/parked", shop.operator_key)["data"]) == 1)


def test_an_older_backup_is_listed_and_not_repaired_silently(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    databases = ShopDatabases(files_in(tmp_path))
    with WholeShop(tmp_path) as shop:
        before = shop.order()["id"]
    backup = {path.name: path.read_bytes() for path in tmp_path.glob("risk.db*")}
    with WholeShop(tmp_path) as shop:
        completed, failed = shop.order()["id"], shop.order(token="tok_declined")["id"]
        live = shop.ask("POST", "/shop/session", shop.server_key, {"customer": "ada"})["id"]
    for path in tmp_path.glob("risk.db*"):
        path.unlink()
    for name, content in backup.items():
        (tmp_path / name).write_bytes(content)
    code, found = databases.run_clerk(capsys, "verify")
    assert code == 1
    told = {(drift["clerk"], drift["invariant"]) for drift in found["drifts"]}
    assert told == {(completed, "I5"), (completed, "I14"), (failed, "I14")}
    assert {clerk for clerk, _ in told} == {completed, failed}
    assert {before, live}.isdisjoint(clerk for clerk, _ in told)
    assert not any(drift["safe"] for drift in found["drifts"])
    code, done = databases.run_clerk(capsys, "repair")
    assert (code, done["acts"]) == (1, [])
    assert databases.run_clerk(capsys, "verify")[1]["drifts"] == found["drifts"]
