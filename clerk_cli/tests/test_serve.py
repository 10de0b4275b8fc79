"""`clerk serve`: it listens at once, says what it waits for, and stops when asked."""

from __future__ import annotations

import signal
from pathlib import Path
from shutil import copytree
from time import monotonic

import httpx
import pytest

from clerk_cli.services import NAMES
from clerk_cli.tests.processes import KEYS_ELSEWHERE, LIMIT, NOWHERE, PASSWORD, clerk

NO_BROKER = {"CLERK_BROKER_URL": NOWHERE, "CLERK_BROKER_SHARED_USER": "clerk"}
SQLITE = {"CLERK_DATABASE_URL": "sqlite:///data/{service}.db", **KEYS_ELSEWHERE}


@pytest.fixture
def migrated(new_shop: Path, tmp_path: Path) -> Path:
    """A folder with migrated databases in its folder `data`."""
    copytree(new_shop, tmp_path / "data")
    return tmp_path


@pytest.mark.parametrize("name", NAMES)
def test_it_listens_at_once_and_is_not_ready_without_its_broker(name: str, migrated: Path) -> None:
    with clerk("serve", name, "--port", "0", folder=migrated, **SQLITE, **NO_BROKER) as running:
        url = running.line("listening ").removeprefix("listening ")
        assert httpx.get(f"{url}/health/live").status_code == 200
        answer = broker_is_missing(url)
        assert answer["checks"]["database"]["ok"] is True
        assert answer["checks"]["broker"]["ok"] is False
        running.signal(signal.SIGTERM)
        assert running.ended(within=5.0) == 0
        assert "connection refused" in running.errors


def broker_is_missing(url: str) -> dict[str, dict[str, dict[str, bool]]]:
    """What readiness says once the database is there."""
    until = monotonic() + LIMIT
    while True:
        answer = httpx.get(f"{url}/health/ready")
        assert answer.status_code == 503
        content: dict[str, dict[str, dict[str, bool]]] = answer.json()
        if content["checks"]["database"]["ok"]:
            return content
        assert monotonic() < until, content


def test_it_waits_for_its_database_and_says_so_once(tmp_path: Path) -> None:
    database = {"CLERK_DATABASE_URL": f"postgresql://clerk:{PASSWORD}@127.0.0.1:1/{{service}}", **KEYS_ELSEWHERE}
    with clerk("serve", "risk", "--port", "0", folder=tmp_path, **database, **NO_BROKER) as running:
        url = running.line("listening ").removeprefix("listening ")
        until = monotonic() + LIMIT
        while "database" not in httpx.get(f"{url}/health/ready").json()["checks"]["database"]["detail"]:
            assert monotonic() < until
        running.signal(signal.SIGINT)
        assert running.ended(within=5.0) == 0
        assert running.errors.count("waiting_for='database: connection to server") == 1
        assert running.errors.count("waiting_for") <= 2, "and once more by the command: not ready"
        assert PASSWORD not in running.errors


def test_without_its_tables_it_ends_with_one_clear_line(tmp_path: Path) -> None:
    with clerk("serve", "risk", "--port", "0", folder=tmp_path, **SQLITE, **NO_BROKER) as running:
        assert running.ended() == 2
        [line] = [line for line in running.errors.splitlines() if line.startswith("clerk: ")]
        assert "run `clerk migrate` first" in line
        assert "Traceback" not in running.errors


def test_S13_it_does_not_start_as_another_user_of_the_broker_than_its_own(migrated: Path) -> None:
    broker = {"CLERK_BROKER_URL": f"amqp://payment:{PASSWORD}@127.0.0.1:1/"}
    with clerk("serve", "risk", "--port", "0", folder=migrated, **SQLITE, **broker) as running:
        assert running.ended() == 2
        [line] = running.errors.splitlines()
        assert line.startswith("clerk: CLERK_BROKER_URL logs in as 'payment', but the broker user of risk is 'risk'")
        assert PASSWORD not in line


def test_S13_that_all_services_share_one_user_is_said_in_the_log(migrated: Path) -> None:
    with clerk("serve", "risk", "--port", "0", folder=migrated, **SQLITE, **NO_BROKER) as running:
        running.line("listening ")
        running.signal(signal.SIGTERM)
        assert running.ended(within=5.0) == 0
        assert "whoever has it is every service" in running.errors


def test_a_wrong_broker_url_is_one_clear_line_without_its_password(tmp_path: Path) -> None:
    with clerk("serve", "risk", folder=tmp_path, CLERK_BROKER_URL="amqp://clerk:hush@:x/", **SQLITE) as running:
        assert running.ended() == 2
        assert running.errors.count("\n") == 1
        assert "hush" not in running.errors


@pytest.mark.parametrize("behind", ["true", "false"])
def test_S8_shop_manager_trusts_a_proxys_header_on_tls_only_when_it_is_set_so(behind: str, migrated: Path) -> None:
    variables = {**SQLITE, **NO_BROKER, "CLERK_BEHIND_PROXY": behind}
    with clerk("serve", "shop_manager", "--port", "0", folder=migrated, **variables) as running:
        url = running.line("listening ").removeprefix("listening ")
        page = httpx.get(f"{url}/dashboard/login", headers={"X-Forwarded-Proto": "https"})
        assert page.status_code == 200
        assert page.headers["set-cookie"].startswith("__Host-") == (behind == "true")


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ('CLERK_DATABASE_URL="sqlite:///data/{servi', "the file .env, line 1: cannot be read"),
        ("CLERK_DATABASE_URL=sqlite:///data/{service}.db\nCLERK_BROKER_UR", "the file .env, line 2: cannot be read"),
        (f"CLERK_BROKER_URL={NOWHERE}\nCLERK_DATABASE_URL=sqli", "database URL cannot be read"),
        ("CLERK_POOL=", "setting CLERK_POOL"),
        ("CLERK_BROKER_URL=am", "broker URL"),
    ],
)
def test_settings_that_were_written_by_half_are_refused_with_one_line(migrated: Path, written: str, says: str) -> None:
    (migrated / ".env").write_text(written)
    (migrated / ".env").chmod(0o600)
    with clerk("serve", "risk", "--port", "0", folder=migrated, **KEYS_ELSEWHERE) as running:
        assert running.ended() == 2
        assert running.errors.count("\n") == 1
        assert running.errors.startswith("clerk: ")
        assert says in running.errors


@pytest.mark.parametrize("name", NAMES)
def test_a_database_that_is_not_migrated_is_refused_with_one_line(tmp_path: Path, name: str) -> None:
    (tmp_path / "data").mkdir()
    with clerk("serve", name, "--port", "0", folder=tmp_path, CLERK_LOG_JSON="true", **SQLITE, **NO_BROKER) as running:
        assert running.ended() == 2
        [line] = [line for line in running.errors.splitlines() if not line.startswith("{")]
        assert line.startswith("clerk: ")
        assert "clerk migrate" in line
        assert "Traceback" not in running.errors
