"""Weak settings are refused outside `clerk up` and `clerk demo`, each with one clear line (security S16)."""

from __future__ import annotations

import os
import signal
import stat
from pathlib import Path

import httpx
import pytest

from clerk_cli import weak_settings
from clerk_cli.credentials import new_credentials
from clerk_cli.data_folder import CREDENTIALS, keep_credentials
from clerk_cli.main import run
from clerk_cli.services import the_service
from clerk_cli.settings_read import read_settings
from clerk_cli.tests.processes import NOWHERE, PASSWORD, clerk

STRONG = {
    "CLERK_BROKER_URL": NOWHERE,
    "CLERK_BROKER_SHARED_USER": "clerk",
    "CLERK_DATABASE_URL": "sqlite:///data/{service}.db",
}
POSTGRES = f"postgresql://clerk:{PASSWORD}@127.0.0.1:1/{{service}}"
SOMEBODY = 4711
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(weak_settings, "_warned", set())
    for name in [name for name in os.environ if name.startswith("CLERK_")]:
        monkeypatch.delenv(name)


def refused(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: str, **variables: str) -> str:
    """The one line with which the command is refused."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert run(command.split()) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("clerk: ") and said.err.count("\n") == 1
    return said.err


# --- passwords and secrets -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("service", "variable", "value"),
    [
        ("risk", "CLERK_BROKER_URL", "amqp://guest:guest@127.0.0.1:5672/"),
        ("risk", "CLERK_BROKER_URL", "amqp://127.0.0.1:5672/"),
        ("risk", "CLERK_BROKER_URL", "amqp://risk:example-password-8-change-me@127.0.0.1:5672/"),
        ("risk", "CLERK_DATABASE_URL", "postgresql://postgres:postgres@127.0.0.1/{service}"),
        ("shop_manager", "CLERK_SECRET", "ab" * 32),
        ("payment", "CLERK_PAYMENT_PROVIDER_SECRET", "the-provider-signs-its-notices-with-this"),
        ("shop_manager", "CLERK_ALERT_WEBHOOK_SECRET", "our-alerts-are-signed-with-this"),
    ],
)
def test_S16_serve_refuses_a_weak_password_or_secret_without_showing_it(
    service: str, variable: str, value: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    line = refused(capsys, monkeypatch, f"serve {service} --port 0", **STRONG | {variable: value})
    assert variable in line
    assert value not in line and "change-me" not in line


MAIL = {
    "CLERK_ALERT_EMAIL": "night@example.org",
    "CLERK_ALERT_FROM": "clerk@example.org",
    "CLERK_ALERT_SMTP_HOST": "mail.example.org",
}


@pytest.mark.parametrize(
    ("variable", "more"),
    [
        ("CLERK_ALERT_WEBHOOK", {"CLERK_ALERT_WEBHOOK": "http://relay.example/services/T0/xyz"}),
        ("CLERK_ALERT_SMTP_TLS", {**MAIL, "CLERK_ALERT_SMTP_TLS": "none"}),
        ("CLERK_ALERT_SMTP_PASSWORD", {**MAIL, "CLERK_ALERT_SMTP_USER": "nora", "CLERK_ALERT_SMTP_PASSWORD": "nora1"}),
    ],
)
def test_S6_serve_refuses_alerts_for_everybody_to_read(
    variable: str, more: dict[str, str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    line = refused(capsys, monkeypatch, "serve shop_manager --port 0", **STRONG | more)
    assert variable in line and "xyz" not in line and "nora1" not in line


def test_S6_an_address_on_this_machine_and_one_that_looks_like_no_secret_are_good(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CLERK_ALERT_WEBHOOK", "http://127.0.0.1:9093/hook")
    for name, value in {**MAIL, "CLERK_ALERT_SMTP_HOST": "localhost", "CLERK_ALERT_SMTP_TLS": "none"}.items():
        monkeypatch.setenv(name, value)
    settings = read_settings(the_service("shop_manager"))
    assert list(weak_settings.weak_alerts(settings)) == []
    assert [each for each in weak_settings.weak_secrets(settings) if "ALERT" in each] == []


def test_S16_the_default_broker_is_refused_too(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "CLERK_BROKER_URL names no user" in refused(capsys, monkeypatch, "serve risk --port 0")


def test_S16_a_weak_password_by_itself_is_named_by_its_own_variable(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    variables = {"CLERK_DATABASE_URL": "postgresql://risk@127.0.0.1/{service}", "CLERK_DATABASE_PASSWORD": "change-me"}
    line = refused(capsys, monkeypatch, "serve risk --port 0", **STRONG | variables)
    assert line.startswith("clerk: CLERK_DATABASE_PASSWORD is an example or one that everybody tries first")


@pytest.mark.parametrize(
    "command", ["migrate", "verify", "repair", "key create --scope server", "operator add nora --role viewer"]
)
def test_S16_what_works_on_databases_refuses_a_weak_password_too(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = "postgresql://clerk_owner:example-password-2-change-me@127.0.0.1:1/{service}"
    assert "--database has a password that" in refused(capsys, monkeypatch, f"{command} --database {url}")
    assert "CLERK_DATABASE_URL has a password that" in refused(capsys, monkeypatch, command, CLERK_DATABASE_URL=url)


def test_several_weaknesses_are_told_at_once(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    line = refused(capsys, monkeypatch, "serve shop_manager --port 0", CLERK_SECRET="ab" * 32)
    assert "CLERK_BROKER_URL names no user" in line and "CLERK_SECRET can be guessed" in line


def test_settings_are_shown_and_what_serve_refuses_is_said_beside(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLERK_PAYMENT_PROVIDER_SECRET", "hush-hush-hush")
    assert run(["settings", "payment"]) == 0
    said = capsys.readouterr()
    assert "`clerk serve` refuses this: CLERK_PAYMENT_PROVIDER_SECRET can be guessed" in said.err
    assert "hush" not in said.err + said.out


# --- development -----------------------------------------------------------------------------------------------------


def test_S16_development_lets_it_pass_on_loopback_only_and_with_a_warning(tmp_path: Path) -> None:
    weak = {**STRONG, "CLERK_PAYMENT_PROVIDER_SECRET": "hush-hush-hush", "CLERK_DEVELOPMENT": "yes"}
    with clerk("serve", "payment", "--port", "0", folder=tmp_path, **weak) as running:
        assert running.line("listening ")
        assert "clerk: warning: CLERK_PAYMENT_PROVIDER_SECRET can be guessed" in running.errors
        running.signal(signal.SIGTERM)
        running.ended()
    with clerk("serve", "payment", "--port", "0", "--host", "0.0.0.0", folder=tmp_path, **weak) as running:
        assert running.ended() == 2
        assert "CLERK_DEVELOPMENT=yes lets nothing pass on an address that others reach" in running.errors


def test_S2_a_service_that_asks_nobody_whether_a_key_is_good_does_not_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = refused(capsys, monkeypatch, "serve risk --port 0", **STRONG)
    assert "CLERK_SHOP_MANAGER_URL is not set" in said and "http://127.0.0.1:8470" in said


def test_S2_in_development_it_starts_and_says_so_in_its_readiness(tmp_path: Path) -> None:
    assert run(["migrate", "risk", "--data", "data"]) == 0
    with clerk("serve", "risk", "--port", "0", folder=tmp_path, CLERK_DEVELOPMENT="yes", **STRONG) as running:
        url = running.line("listening ").removeprefix("listening ")
        keys = httpx.get(f"{url}/health/ready").json()["checks"]["keys"]
        assert keys == {"ok": True, "detail": "not confirmed by ShopManager: CLERK_SHOP_MANAGER_URL is not set"}
        assert "clerk: warning: CLERK_SHOP_MANAGER_URL is not set" in running.errors
        running.signal(signal.SIGTERM)
        running.ended()


@pytest.mark.parametrize("value", ["true", "1", "YES", ""])
def test_development_is_said_in_one_way_only_and_not_in_a_file(
    value: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("CLERK_DEVELOPMENT=yes\n")
    (tmp_path / ".env").chmod(0o600)
    assert "CLERK_BROKER_URL" in refused(capsys, monkeypatch, "serve risk --port 0", CLERK_DEVELOPMENT=value)


# --- files and folders -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o602, 0o666])
@pytest.mark.parametrize("command", ["serve risk --port 0", "migrate", "verify", "key create --scope server"])
def test_S16_a_dotenv_that_others_can_read_or_change_is_refused(
    command: str, mode: int, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("CLERK_LOG_JSON=true\n")
    (tmp_path / ".env").chmod(mode)
    line = refused(capsys, monkeypatch, command, **STRONG)
    assert line.startswith("clerk: the file '.env' can be read or changed by others on this machine: chmod 600 .env")


def test_a_dotenv_of_ones_own_is_taken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("CLERK_DATABASE_URL=sqlite:///data/{service}.db\n")
    (tmp_path / ".env").chmod(0o600)
    assert run(["migrate"]) == 0


@needs_root
def test_S16_a_file_or_folder_of_somebody_elses_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").mkdir(mode=0o700)
    keep_credentials(tmp_path / "data", new_credentials())
    os.chown(tmp_path / "data", SOMEBODY, SOMEBODY)
    for command in ("migrate --data data", "list --data data", "up --port 0 --data data"):
        line = refused(capsys, monkeypatch, command)
        assert "'data' belongs to somebody else, who can put anything into it: chown 0 data" in line
    os.chown(tmp_path / "data", 0, 0)
    os.chown(tmp_path / "data" / CREDENTIALS, SOMEBODY, SOMEBODY)
    for command in ("list --data data", "up --port 0 --data data"):
        assert "belongs to somebody else" in refused(capsys, monkeypatch, command)
    (tmp_path / ".env").write_text("")
    os.chown(tmp_path / ".env", SOMEBODY, SOMEBODY)
    assert "the file '.env' belongs to somebody else" in refused(capsys, monkeypatch, "migrate")


def test_S16_a_folder_that_everybody_may_write_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data").chmod(0o777)
    for command in ("serve risk --port 0", "migrate", "list --data data", "repair --data data"):
        line = refused(capsys, monkeypatch, command, **STRONG)
        assert "the folder 'data' can be written by everybody on this machine: chmod 700 data" in line


@pytest.mark.parametrize("command", ["list", "order BONE=1 --customer ada"])
def test_S16_credentials_that_others_can_read_are_refused(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_credentials(tmp_path, new_credentials())
    (tmp_path / CREDENTIALS).chmod(0o644)
    line = refused(capsys, monkeypatch, f"{command} --data .")
    assert f"the file '{CREDENTIALS}' can be read or changed by others on this machine: chmod 600 {CREDENTIALS}" in line


def test_S16_an_operators_key_may_come_from_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    command = "list --url http://127.0.0.1:1"
    assert "CLERK_OPERATOR_KEY_FILE names a file that cannot be read" in refused(
        capsys, monkeypatch, command, CLERK_OPERATOR_KEY_FILE="key"
    )
    (tmp_path / "key").write_text("op_hush\n")
    assert "no shop can be reached" in refused(capsys, monkeypatch, command)
    line = refused(capsys, monkeypatch, command, CLERK_OPERATOR_KEY="op_hush")
    assert "CLERK_OPERATOR_KEY and CLERK_OPERATOR_KEY_FILE are both set" in line
    assert "hush" not in line


# --- clerk up --------------------------------------------------------------------------------------------------------


def test_S16_up_closes_its_credentials_and_says_so(tmp_path: Path) -> None:
    (tmp_path / ".clerk").mkdir(mode=0o700)
    keep_credentials(tmp_path / ".clerk", new_credentials())
    (tmp_path / ".clerk" / CREDENTIALS).chmod(0o644)
    (tmp_path / ".env").write_text("CLERK_LOG_JSON=false\n")
    (tmp_path / ".env").chmod(0o644)
    with clerk("up", "--port", "0", folder=tmp_path) as running:
        assert running.url
        assert stat.S_IMODE((tmp_path / ".clerk" / CREDENTIALS).stat().st_mode) == 0o600
        assert "clerk: warning: others on this machine could read '.clerk/credentials.json' until now" in running.errors
        assert "clerk: warning: the file '.env' can be read or changed by others" in running.errors
        assert "--host" not in running.errors


def test_S16_up_warns_before_it_is_ready_when_others_reach_it(tmp_path: Path) -> None:
    with clerk("up", "--port", "0", "--host", "0.0.0.0", folder=tmp_path) as running:
        assert running.line("  open to ").startswith("  open to      everybody who reaches this machine: `clerk up` is")
        assert running.url.startswith("http://0.0.0.0:")
        assert "clerk: warning: --host 0.0.0.0 lets everybody in who reaches this machine" in running.errors
