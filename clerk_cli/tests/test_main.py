"""Whatever is wrong with a command line is one clear line on standard error, and exit code 2."""

from __future__ import annotations

from pathlib import Path

import pytest

from clerk_cli.errors import one_line
from clerk_cli.main import run
from clerk_cli.terminal import plain
from domain.version import VERSION


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line with which this is refused."""
    assert run(arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("clerk: ")
    assert said.err.count("\n") == 1
    return said.err


def test_S10_what_nobody_sees_is_shown_as_what_it_is_in_every_line() -> None:
    text = "a \t b\nc\x85d\u2028e\u2029f\u200bg\ufeffh\u202ei\x1b[2J\u3164"
    told = r"a b c\x85d\u2028e\u2029f\u200bg\ufeffh\u202ei\x1b[2J\u3164"
    assert (one_line(text), plain(text).plain) == (told, told)
    assert one_line("Zoë 山田\n") == "Zoë 山田"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "clerk --help"),
        (["dance"], "No such command 'dance'"),
        (["up", "--dance"], "No such option: --dance"),
        (["up", "--port", "many"], "'--port'"),
        (["up", "--port", "65536"], "'--port'"),
        (["up", "--warehouse", "maybe"], "'--warehouse'"),
        (["up", "--faults", "--host", "0.0.0.0"], "--faults is for development only: host is '0.0.0.0'"),
        (["up", "--broker", "http://127.0.0.1/"], "broker URL 'http://127.0.0.1'"),
        (["up", "--broker", ""], "broker URL"),
        (["up", "--broker", "amqp://127.0.0.1:1/"], "the broker at 127.0.0.1:1 cannot be reached: connection refused"),
        (["up", "--port", "0", "--database", "postgresql://127.0.0.1:1/{service}"], "the database of shop_manager: "),
        (["up", "--port", "0", "--database", "mysql://x/y"], "database URL 'mysql://x/y'"),
        (["up", "--port", "0", "--database", "nonsense"], "database URL cannot be read"),
        (["up", "--port", "0", "--database", "sqlite:///one.db"], "each service has an SQLite file of its own"),
        (["up", "--host", "no.such.host.invalid"], "is no address of this machine"),
        (["serve"], "Missing argument"),
        (["serve", "kitchen"], "allowed are shop_manager, shop, risk, payment, fulfillment"),
        (["migrate", "kitchen"], "service 'kitchen' is unknown"),
        (["migrate", "--database", "postgresql://127.0.0.1:1/x"], "the database of shop_manager: "),
        (["settings", "kitchen"], "service 'kitchen' is unknown"),
        (["verify"], "there is no shop: '.clerk/shop_manager.db' is missing"),
        (["verify", "--data", "elsewhere"], "there is no shop: 'elsewhere/shop_manager.db' is missing"),
        (["verify", "--database", "mysql://x/y"], "database URL 'mysql://x/y'"),
        (["verify", "--database", "postgresql://127.0.0.1:1/{service}"], "the database of shop_manager: "),
        (["simulate", "--seeds", "0"], "'--seeds'"),
        (["simulate", "--seeds", "many"], "'--seeds'"),
        (["simulate", "--seed", "-1"], "'--seed'"),
        (["simulate", "--exhaustive", "triples"], "'--exhaustive'"),
        (["simulate", "--workers", "0"], "'--workers'"),
        (["simulate", "--replay", "gone.json"], "gone.json: No such file or directory"),
        (["order"], "Missing argument"),
        (["order", "BONE"], "is no SKU=QTY"),
        (["order", "BONE=1", "--url", "ftp://x"], "shop URL 'ftp://x'"),
        (["order", "BONE=1", "--url", "http://127.0.0.1:1"], "no shop can be reached at http://127.0.0.1:1"),
        (["order", "BONE=1", "--customer", "ada"], "a named customer needs the server key"),
        (["list"], "this needs an operator's key"),
        (["list", "--limit", "0"], "'--limit'"),
        (["show"], "Missing argument"),
        (["operator", "add", "nora"], "'--role'"),
        (["operator", "add", "nora", "--role", "king"], "'--role'"),
        (["operator", "add", "nora", "--role", "admin"], "there is no shop: '.clerk/shop_manager.db' is missing"),
        (["key", "create", "--scope", "everything"], "'--scope'"),
        (["key", "create", "--scope", "server"], "there is no shop: '.clerk/shop_manager.db' is missing"),
    ],
)
def test_a_wrong_request_is_refused_in_one_line(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert says in refused(capsys, *arguments)


def test_a_wrong_setting_is_named_by_its_variable_and_never_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CLERK_POOL", "hush")
    monkeypatch.setenv("CLERK_RISK_GUEST_LIMIT", "-1")
    line = refused(capsys, "settings", "risk")
    assert "CLERK_POOL" in line
    assert "CLERK_RISK_GUEST_LIMIT" in line
    assert "hush" not in line


def test_a_password_in_a_wrong_url_is_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert "hush" not in refused(capsys, "up", "--port", "0", "--database", "mysql://clerk:hush@db/x")
    assert "hush" not in refused(capsys, "migrate", "--database", "postgresql://clerk:hush@127.0.0.1:1/x")
    assert "hush" not in refused(capsys, "up", "--broker", "amqps://clerk:hush@")


def test_control_characters_in_what_was_typed_do_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert "\x1b" not in refused(capsys, "serve", "\x1b[31mred\nforged line")


def test_help_is_help(capsys: pytest.CaptureFixture[str]) -> None:
    for words in ([], ["up"], ["serve"], ["migrate"], ["order"], ["list"], ["show"], ["settings"], ["key", "create"]):
        assert run([*words, "--help"]) == 0
        assert "Usage: clerk" in capsys.readouterr().out


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"clerk {VERSION}\n"
