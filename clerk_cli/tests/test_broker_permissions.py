"""`clerk broker permissions` and the broker part of `clerk migrate`, without a broker (security S13, S16)."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest

from clerk_cli.brokers import own_rabbitmq
from clerk_cli.errors import CliError
from clerk_cli.main import run
from clerk_cli.services import SERVICES
from clerk_cli.settings_read import read_settings
from domain.document import SERVICES as OTHERS
from shop_manager.processes import discover

USERS = ("shop_manager", *OTHERS)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert run(["broker", "permissions", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(["broker", "permissions", *arguments]) == 2
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    return said.err


def test_it_prints_the_commands_that_set_them(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLERK_BROKER_URL", "amqp://shop:hush@127.0.0.1/toys")
    assert run(["broker", "permissions"]) == 0
    lines = [shlex.split(line) for line in capsys.readouterr().out.splitlines()]
    assert {tuple(words[:4]) for words in lines} == {
        ("rabbitmqctl", command, "-p", "toys") for command in ("set_permissions", "set_topic_permissions")
    }
    assert [words[4] for words in lines] == [user for user in USERS for _ in range(2)]
    assert ["^$", "^(?:clerk\\.replies)$", "^(?:risk\\.commands\\.v1)$"] in [words[5:] for words in lines]


def test_S13_every_command_that_a_process_asks_may_be_answered(capsys: pytest.CaptureFixture[str]) -> None:
    rights = {each["account"]: each for each in told(capsys)["users"]}
    for process in discover():
        for service, commands in process.commands().items():
            for name, _version in commands:
                assert f"{name}|" in rights[service]["topics"][0]["write"].replace(")", "|")


def test_the_users_are_named_by_the_template_and_the_owner_when_asked(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLERK_BROKER_USERS", "acme-{service}")
    shown = told(capsys, "--owner", "boss")
    assert [each["user"] for each in shown["users"]] == [*(f"acme-{user}" for user in USERS), "boss"]
    assert (shown["vhost"], shown["applied"]) == ("/", False)


def test_without_rabbitmqctl_and_its_http_api_there_is_no_way_to_set_them(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))
    assert "CLERK_BROKER_MANAGEMENT_URL" in refused(capsys, "--apply")


def test_S16_new_users_need_passwords_from_the_environment_or_files(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert "--create-users is for --apply" in refused(capsys, "--create-users")
    for user in USERS[1:]:
        monkeypatch.setenv(f"CLERK_BROKER_PASSWORD_{user.upper()}", "hush-hush")
    said = refused(capsys, "--apply", "--create-users")
    assert "CLERK_BROKER_PASSWORD_SHOP_MANAGER, nor in a file that CLERK_BROKER_PASSWORD_SHOP_MANAGER_FILE" in said
    assert "hush" not in said
    monkeypatch.setenv("CLERK_BROKER_PASSWORD_SHOP_MANAGER_FILE", str(tmp_path / "none"))
    assert "none' cannot be read: No such file" in refused(capsys, "--apply", "--create-users")
    (tmp_path / "none").write_text("hush-change-me\n")
    said = refused(capsys, "--apply", "--create-users")
    assert said.startswith("clerk: CLERK_BROKER_PASSWORD_SHOP_MANAGER is an example") and "hush" not in said
    (tmp_path / "none").write_text("hush-hush\n")
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))
    assert "there is no rabbitmqctl here" in refused(capsys, "--apply", "--create-users")


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("ftp://admin:hush@host", "cannot be used"),
        ("http://host:port", "cannot be read"),
        ("http://127.0.0.1:1", "cannot be used"),
        ("http://admin:hush@127.0.0.1:1", "cannot be reached: ConnectError"),
        ("http://admin:hu/sh@127.0.0.1:1", "cannot be"),
    ],
)
def test_S16_an_http_api_that_cannot_be_used_is_one_line_without_its_password(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, url: str, says: str
) -> None:
    monkeypatch.setenv("CLERK_BROKER_MANAGEMENT_URL", url)
    said = refused(capsys, "--apply")
    assert says in said
    assert "hu" not in said


def test_S16_migrate_tells_in_one_line_without_a_password_that_the_owner_cannot_reach_the_broker(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for url, says in (
        ("amqp://boss:hush-hush@127.0.0.1:1/", "127.0.0.1:1: connection refused"),
        ("amqp://:hush-hush@/", "CLERK_BROKER_OWNER_URL names no user"),
        ("amqp://boss:hush-hush@/", "host"),
        ("amqp://boss:hush@127.0.0.1:1/", "CLERK_BROKER_OWNER_URL has a password that is soon guessed"),
    ):
        monkeypatch.setenv("CLERK_BROKER_OWNER_URL", url)
        assert run(["migrate", "--data", str(tmp_path / "data")]) == 2
        said = capsys.readouterr().err
        assert says in said
        assert "hush" not in said


# --- as whom a service logs in ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
@pytest.mark.parametrize("user", ["guest", "clerk", "owner", "shop_managers"])
def test_S13_a_service_that_would_log_in_as_somebody_else_does_not_start(
    service: Any, user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLERK_BROKER_URL", f"amqp://{user}:hush@127.0.0.1:1/")
    with pytest.raises(CliError) as error:
        own_rabbitmq(service.name, read_settings(service))
    said = str(error.value)
    assert f"logs in as {user!r}, but the broker user of {service.name} is {service.name!r}" in said
    assert f"CLERK_BROKER_SHARED_USER={user}" in said
    assert "hush" not in said


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_S13_a_service_logs_in_as_itself_or_as_the_user_that_is_said_to_be_shared(
    service: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLERK_BROKER_USERS", "acme-{service}")
    monkeypatch.setenv("CLERK_BROKER_URL", f"amqp://acme-{service.name}:x@127.0.0.1:1/")
    own_rabbitmq(service.name, read_settings(service))
    monkeypatch.setenv("CLERK_BROKER_URL", "amqp://127.0.0.1:1/")
    monkeypatch.setenv("CLERK_BROKER_SHARED_USER", "guest")
    own_rabbitmq(service.name, read_settings(service))


def test_one_name_for_all_services_is_a_wrong_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLERK_BROKER_USERS", "clerk")
    with pytest.raises(CliError, match="setting CLERK_BROKER_USERS"):
        read_settings(SERVICES[0])
