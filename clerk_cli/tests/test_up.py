"""`clerk up` as people run it: a process, its lines, its files, and its end."""

from __future__ import annotations

import json
import re
import signal
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Any, NoReturn

import httpx
import pytest

from clerk_cli import main, up
from clerk_cli.errors import CliError
from clerk_cli.tests.processes import LIMIT, ClerkProcess, clerk


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shop") / "data"


@pytest.fixture(scope="module")
def shop(data: Path) -> Iterator[ClerkProcess]:
    """One running shop for the tests that do not end it."""
    with clerk("up", "--port", "0", "--data", str(data), folder=data.parent) as running:
        assert running.url
        yield running
        running.signal(signal.SIGTERM)
        assert running.ended() == 0
        assert running.errors == ""


def said(*arguments: str, data: Path) -> tuple[int, str, str]:
    """Exit code, output and errors of a command about this shop."""
    with clerk(*arguments, "--data", str(data), folder=data.parent) as running:
        code = running.ended()
        return code, "\n".join(running.lines), running.errors


def credentials(data: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((data / "credentials.json").read_text())
    return content


def test_it_prints_where_things_are_and_then_the_ready_line(shop: ClerkProcess, data: Path) -> None:
    assert re.fullmatch(r"ready http://127\.0\.0\.1:[1-9][0-9]*", shop.lines[-1])
    printed = "\n".join(shop.lines[:-1])
    assert f"{shop.url}/docs" in printed
    assert str(data / "credentials.json") in printed


def test_every_part_is_ready(shop: ClerkProcess) -> None:
    answer = httpx.get(f"{shop.url}/health/ready")
    assert answer.status_code == 200
    checks = {name: check["ok"] for name, check in answer.json()["checks"].items()}
    assert checks.keys() >= {"database", "broker", "consumer", "last_tick"}
    assert all(checks.values())
    assert 'clerk_messages_handled_total{service="risk"}' in httpx.get(f"{shop.url}/metrics").text


def test_an_empty_folder_is_filled_with_the_shop_of_dog_toys(shop: ClerkProcess) -> None:
    products = httpx.get(f"{shop.url}/shop/products").json()["data"]
    assert "SQUEAKY-BONE" in {product["sku"] for product in products}


def test_the_credentials_open_what_they_are_for_and_are_their_owners_only(shop: ClerkProcess, data: Path) -> None:
    kept = credentials(data)
    assert stat.S_IMODE((data / "credentials.json").stat().st_mode) == 0o600
    for key, path in (
        (kept["server_key"], "/risk/customers/ada"),
        (kept["warehouse_key"], "/fulfillment/shipments"),
        (kept["operator"]["key"], "/ops/clerks"),
    ):
        answer = httpx.get(shop.url + path, headers={"Authorization": f"Bearer {key}"})
        assert answer.status_code == 200, path


def test_what_is_kept_is_nobody_elses_business(shop: ClerkProcess, data: Path) -> None:
    for path in data.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path.name


def test_an_order_is_followed_to_its_end(shop: ClerkProcess, data: Path) -> None:
    code, output, errors = said("order", "SQUEAKY-BONE=2", "--watch", data=data)
    assert (code, errors) == (0, "")
    assert "settle done" in output
    assert re.search(r"clk_\w+: completed, 25\.90 EUR", output)


def test_an_order_that_fails_says_why_and_what_happens_with_the_money(shop: ClerkProcess, data: Path) -> None:
    code, output, _ = said("order", "SQUEAKY-BONE=1", "--token", "tok_declined", "--watch", data=data)
    assert code == 1
    assert "payment refused" in output
    assert "failed" in output
    assert "card_declined at payment" in output
    assert "nothing was charged" in output


def test_an_order_of_a_named_customer_as_json_ends_as_one_document(shop: ClerkProcess, data: Path) -> None:
    code, output, _ = said("order", "SQUEAKY-DUCK=1", "--customer", "ada", "--watch", "--json", data=data)
    session = json.loads(output)
    assert code == 0
    assert session["status"] == "completed"
    assert session["client_secret"].startswith("cs_")


def test_an_order_that_is_not_watched_is_just_placed(shop: ClerkProcess, data: Path) -> None:
    code, output, _ = said("order", "SQUEAKY-BONE=1", "--json", data=data)
    assert code == 0
    assert json.loads(output)["id"].startswith("clk_")


def test_what_the_shop_refuses_is_told_in_its_words(shop: ClerkProcess, data: Path) -> None:
    code, _, errors = said("order", "SQUEAKY-BONE=1", "--customer", "nobody", data=data)
    assert code == 2
    assert "customer_unknown" in errors
    assert errors.count("\n") == 1


def test_clerks_are_listed_and_one_is_shown_with_its_timeline(shop: ClerkProcess, data: Path) -> None:
    _, output, _ = said("order", "SQUEAKY-BONE=1", "--watch", "--json", data=data)
    clerk_id = json.loads(output)["id"]
    code, output, _ = said("list", "--status", "completed", data=data)
    assert code == 0
    assert clerk_id in output
    code, output, _ = said("list", "--stuck", "--json", data=data)
    assert (code, json.loads(output)["data"]) == (0, [])
    code, output, _ = said("show", clerk_id, data=data)
    assert code == 0
    assert "capture" in output
    code, output, _ = said("show", clerk_id, "--json", data=data)
    assert json.loads(output)["timeline"][0]["what"] == "opened"


def test_an_unknown_clerk_is_one_line(shop: ClerkProcess, data: Path) -> None:
    code, _, errors = said("show", "clk_unknown", data=data)
    assert code == 2
    assert "not_found" in errors


def test_a_port_in_use_is_one_clear_line(shop: ClerkProcess, tmp_path: Path) -> None:
    port = shop.url.rpartition(":")[2]
    with clerk("up", "--port", port, "--data", "other", folder=tmp_path) as second:
        assert second.ended() == 2
        assert (
            second.errors
            == f"clerk: port {port} of 127.0.0.1 is in use: choose another with --port, or 0 for a free one\n"
        )


def test_a_second_up_on_the_same_folder_is_one_clear_line(shop: ClerkProcess, data: Path) -> None:
    code, _, errors = said("up", "--port", "0", data=data)
    assert code == 2
    assert errors == f"clerk: data folder '{data}' is in use by another `clerk up`\n"


def test_a_folder_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with clerk("up", "--port", "0", "--data", "file/data", folder=tmp_path) as running:
        assert running.ended() == 2
        assert running.errors == "clerk: data folder 'file/data' cannot be used: Not a directory\n"


def long_poll(url: str, session: dict[str, Any]) -> socket.socket:
    """The connection of a client that waits for a change of the session; its request was accepted."""
    where = httpx.URL(url)
    connection = socket.create_connection((where.host, where.port or 80), LIMIT)
    lines = [
        f"GET {session['links']['self']} HTTP/1.1",
        f"Host: {where.host}",
        f"Authorization: Bearer {session['client_secret']}",
        f'If-None-Match: "{session["version"]}"',
        "Prefer: wait=30",
    ]
    connection.sendall("\r\n".join([*lines, "", ""]).encode())
    httpx.get(f"{url}/health/live")  # the server accepts requests in order: when this one is answered, it has that one
    return connection


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_asked_to_stop_with_streams_and_long_polls_open_it_ends_with_0_within_5_seconds(
    tmp_path: Path, number: signal.Signals
) -> None:
    with clerk("up", "--port", "0", "--data", "data", folder=tmp_path) as running:
        url = running.url
        session = httpx.post(f"{url}/shop/session", json={}).json()
        headers = {"Authorization": f"Bearer {session['client_secret']}"}
        with (
            httpx.stream("GET", f"{url}{session['links']['events']}", headers=headers, timeout=LIMIT) as stream,
            long_poll(url, session) as poll,
        ):
            next(stream.iter_lines())
            before = monotonic()
            running.signal(number)
            assert running.ended() == 0
            assert monotonic() - before < 5.0
            assert poll.recv(1024).startswith(b"HTTP/1.1 304")
        assert running.errors == ""


def test_after_kill_9_every_order_goes_on_and_the_credentials_are_the_same(tmp_path: Path) -> None:
    with clerk("up", "--port", "0", "--data", "data", "--warehouse", "manual", folder=tmp_path) as first:
        url = first.url
        body = {"items": [{"sku": "SQUEAKY-BONE", "quantity": 1}], "payment": {"token": "tok_ok"}}
        sessions = [httpx.post(f"{url}/shop/session", json=body).json() for _ in range(5)]
        first.kill()
    kept = credentials(tmp_path / "data")
    with clerk("up", "--port", "0", "--data", "data", "--warehouse", "auto", folder=tmp_path) as second:
        url = second.url
        assert credentials(tmp_path / "data") == kept
        for session in sessions:
            assert ended(url, session)["status"] == "completed"


def ended(url: str, session: dict[str, Any]) -> dict[str, Any]:
    """The session at its end, waited for."""
    headers = {"Authorization": f"Bearer {session['client_secret']}", "Prefer": "wait=5"}
    seen, until = session, monotonic() + 60.0
    while seen["status"] not in {"completed", "failed", "canceled", "expired"}:
        assert monotonic() < until, seen
        known = {"If-None-Match": f'"{seen["version"]}"'}
        answer = httpx.get(f"{url}{session['links']['self']}", headers=headers | known, timeout=LIMIT)
        seen = answer.json() if answer.status_code == 200 else seen
    return seen


def test_what_sqlites_commits_wait_for_is_a_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def opened(_templates: object, _pool: int, sync: str) -> NoReturn:
        asked.append(sync)
        raise CliError("that is enough")

    monkeypatch.setattr(up, "opened", opened)
    monkeypatch.chdir(tmp_path)
    for given, sync in (("", "full"), ("CLERK_SQLITE_SYNC=normal\n", "normal")):
        (tmp_path / ".env").write_text(given)
        arguments = ["up", "--port", "0", "--data", str(tmp_path / "data")]
        assert main.run(arguments) == 2
        assert asked[-1] == sync
    (tmp_path / ".env").write_text("CLERK_SQLITE_SYNC=off\n")
    with clerk("up", "--port", "0", folder=tmp_path) as running:
        assert running.ended() == 2
        assert running.errors == "clerk: setting CLERK_SQLITE_SYNC: Input should be 'full' or 'normal'\n"
