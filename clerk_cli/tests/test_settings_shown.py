"""`clerk settings`: every setting of every service by the name of its variable, secrets masked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from clerk_cli.main import run
from clerk_cli.services import NAMES, SERVICES


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert run(["settings", *arguments, "--json"]) == 0
    content: dict[str, Any] = json.loads(capsys.readouterr().out)
    return content


def test_without_a_name_all_services_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert tuple(shown(capsys)) == NAMES


def test_the_environment_wins_over_the_file_and_the_file_over_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / ".env").write_text("CLERK_PORT=1111\nCLERK_RISK_GUEST_LIMIT=7\nUNRELATED=x\n")
    monkeypatch.setenv("CLERK_PORT", "2222")
    risk = shown(capsys, "risk")["risk"]
    assert (risk["CLERK_PORT"], risk["CLERK_RISK_GUEST_LIMIT"], risk["CLERK_HOST"]) == (2222, 7, "127.0.0.1")


def test_S16_no_secret_is_shown_neither_as_json_nor_to_people(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CLERK_DATABASE_URL", "postgresql://clerk:hush-1@db/{service}")
    monkeypatch.setenv("CLERK_BROKER_URL", "amqp://clerk:hush-2@rabbit/")
    monkeypatch.setenv("CLERK_PAYMENT_PROVIDER_SECRET", "hush-3")
    monkeypatch.setenv("CLERK_SECRET", "hush-4" * 10)
    for extra in ([], ["--json"]):
        assert run(["settings", *extra]) == 0
        said = capsys.readouterr().out
        assert "hush" not in said
        assert "postgresql://clerk:***@db/{service}" in said


def test_every_setting_says_what_it_is() -> None:
    for service in SERVICES:
        for name, field in service.settings_class().model_fields.items():
            assert field.description, f"{service.name}: {name}"


def test_S16_of_a_webhook_only_its_host_is_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CLERK_ALERT_WEBHOOK", "https://hooks.example/services/T0/B0/xyz?key=abc")
    assert shown(capsys, "shop_manager")["shop_manager"]["CLERK_ALERT_WEBHOOK"] == "https://hooks.example/***"
    assert run(["settings", "shop_manager"]) == 0
    assert "xyz" not in capsys.readouterr().out
