"""docker-compose.yml and its files fit the real settings, commands and routes (security S13, S14, S16, S17)."""

from __future__ import annotations

import os
import re
import secrets
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from sqlalchemy import make_url

from clerk_cli.brokers import own_rabbitmq
from clerk_cli.commands import app
from clerk_cli.rabbitmq.accounts import MANAGEMENT_URL, OWNER_URL, PASSWORDS
from clerk_cli.services import NAMES, SERVICES, the_service
from clerk_cli.settings_read import read_settings
from clerk_cli.weak_settings import weak_secrets
from messaging.database import Database
from messaging.migrated import require_migrated
from messaging.migrations import migrate
from messaging.secret_files import variable_of
from tests.postgres import admin_url, administer

ROOT = Path(__file__).parents[1]
TESTS = {"scenario_tests", "tests", "tests_browser", "tests_clients"}
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
CONTAINERS: dict[str, dict[str, Any]] = COMPOSE["services"]
ONCE = {"migrate", "broker_users"}
OURS = {*NAMES, *ONCE}
OF_THE_OWNER = {OWNER_URL, MANAGEMENT_URL, *PASSWORDS.values()}
"""Variables that no service has."""
SCRIPT = ROOT / "deploy" / "database" / "databases_and_roles.sh"
DOCKERFILE = (ROOT / "Dockerfile").read_text()
EXAMPLE = dict(
    line.split("=", 1) for line in (ROOT / ".env.example").read_text().splitlines() if line and line[0] != "#"
)
every_container = pytest.mark.parametrize("name", CONTAINERS)
every_service = pytest.mark.parametrize("name", NAMES)


def in_words(command: str | list[str]) -> list[str]:
    return shlex.split(command) if isinstance(command, str) else command


def interpolated(value: str) -> str:
    """The value as docker compose interpolates it with `.env.example`."""
    return re.sub(r"\$\{(\w+)[^}]*\}", lambda found: EXAMPLE[found.group(1)], value)


def test_there_is_one_container_for_each_service_and_those_they_need() -> None:
    assert set(CONTAINERS) == {*OURS, "broker", "database"}


@pytest.mark.parametrize("name", sorted(OURS))
def test_every_variable_is_a_real_setting_with_a_value_that_it_takes(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = the_service("shop_manager" if name in ONCE else name)
    cls = service.settings_class()
    known = {variable_of(cls, field) for field in cls.model_fields}
    given = {key: interpolated(value) for key, value in CONTAINERS[name]["environment"].items() if "CLERK_" in key}
    assert given.keys() <= known | (OF_THE_OWNER if name in ONCE else set())
    for key, value in given.items():
        monkeypatch.setenv(key, value)
    settings = read_settings(service)
    if name not in ONCE:
        own_rabbitmq(name, settings)


@every_service
def test_S14_each_service_uses_its_own_database_with_its_own_role(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    url = make_url(interpolated(CONTAINERS[name]["environment"]["CLERK_DATABASE_URL"]).replace("{service}", name))
    assert (url.host, url.username, url.database) == ("database", name, name)
    assert url.password is None
    given = CONTAINERS[name]["environment"]["CLERK_DATABASE_PASSWORD"]
    assert interpolated(given) == EXAMPLE[f"{name.upper()}_DATABASE_PASSWORD"]


def test_S16_no_service_starts_with_an_example(monkeypatch: pytest.MonkeyPatch) -> None:
    refused: dict[str, set[str]] = {}
    for service in SERVICES:
        with monkeypatch.context() as patched:
            for key, value in CONTAINERS[service.name]["environment"].items():
                patched.setenv(key, interpolated(value))
            refused[service.name] = {line.split()[0] for line in weak_secrets(read_settings(service))}
    assert all({"CLERK_DATABASE_PASSWORD", "CLERK_BROKER_PASSWORD"} <= each for each in refused.values())
    assert "CLERK_SECRET" in refused["shop_manager"]


def test_migrations_run_once_before_the_services_as_the_owner() -> None:
    url = interpolated(CONTAINERS["migrate"]["environment"]["CLERK_DATABASE_URL"])
    assert make_url(url).username == "clerk_owner"
    assert "{service}" in url
    for name in NAMES:
        for once in ONCE:
            assert CONTAINERS[name]["depends_on"][once] == {"condition": "service_completed_successfully"}


@pytest.mark.parametrize("name", sorted(OURS))
def test_every_command_is_one_that_clerk_has(name: str) -> None:
    words = in_words(CONTAINERS[name]["command"])
    group: Any = typer.main.get_command(app)
    with group.make_context("clerk", list(words)) as context:
        found, command, rest = group.resolve_command(context, [*context._protected_args, *context.args])
        assert found == words[0]
        command.make_context(found, rest).close()
    more = {"migrate": [], "broker_users": ["permissions", "--apply", "--create-users"]}
    assert words[1:] == more.get(name, [name])


def test_S17_only_shop_manager_is_published_and_only_on_loopback() -> None:
    published = {name: container["ports"] for name, container in CONTAINERS.items() if "ports" in container}
    assert published == {"shop_manager": ["127.0.0.1:8470:8470"]}
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    outside = {name for name, container in CONTAINERS.items() if "outside" in container["networks"]}
    assert outside == {"shop_manager"}


def test_the_gateway_knows_where_the_others_are() -> None:
    environment = CONTAINERS["shop_manager"]["environment"]
    for name in set(NAMES) - {"shop_manager"}:
        assert (
            environment[f"CLERK_{name.upper()}_URL"] == f"http://{name}:{CONTAINERS[name]['environment']['CLERK_PORT']}"
        )


def test_S2_every_service_knows_where_it_asks_whether_a_key_is_still_good() -> None:
    for name in NAMES:
        assert CONTAINERS[name]["environment"]["CLERK_SHOP_MANAGER_URL"] == "http://shop_manager:8470"
    assert CONTAINERS["shop_manager"]["environment"]["CLERK_PORT"] == "8470"


@every_container
def test_S17_no_container_has_more_rights_than_it_needs(name: str) -> None:
    container = CONTAINERS[name]
    assert container["user"] not in {"root", "0", "0:0"}
    assert container["cap_drop"] == ["ALL"]
    assert container["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "network_mode", "pid"} & container.keys()
    if name in OURS:
        assert container["read_only"] is True
        assert container["tmpfs"] == ["/tmp"]


@every_container
def test_every_container_that_stays_has_a_health_check(name: str) -> None:
    assert ("healthcheck" in CONTAINERS[name]) == (name not in ONCE)


@every_service
def test_the_health_check_asks_whether_the_service_is_ready(name: str) -> None:
    test = CONTAINERS[name]["healthcheck"]["test"]
    assert test[:3] == ["CMD", "python", "-c"]
    compile(test[3], "health check", "exec")
    port = CONTAINERS[name]["environment"]["CLERK_PORT"]
    assert f'"http://127.0.0.1:{port}/health/ready"' in test[3]
    assert '"/health/ready"' in (ROOT / "http_api" / "health.py").read_text()


def test_whoever_is_waited_for_can_be_seen_to_be_there() -> None:
    waited_for = {
        other
        for container in CONTAINERS.values()
        for other, how in container.get("depends_on", {}).items()
        if how["condition"] == "service_healthy"
    }
    assert waited_for == {"broker", "database"}
    assert all("healthcheck" in CONTAINERS[name] for name in waited_for)


def test_S16_every_secret_comes_from_the_environment_and_has_an_example_marked_as_such() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    assert set(re.findall(r"\$\{(\w+)", text)) == EXAMPLE.keys()
    optional = {name for name in EXAMPLE if name.startswith("ALERT_")} | {"PAYMENT_PROVIDER_SECRET", "PUBLIC_URL"}
    passwords = {name: value for name, value in EXAMPLE.items() if name not in optional}
    assert {name: EXAMPLE[name] for name in optional if EXAMPLE[name]} == {"ALERT_WEBHOOK_FORM": "json"}
    assert all(re.fullmatch(r"example-(password|secret)-\d+-change-me", value) for value in passwords.values())
    assert len(set(passwords.values())) == len(passwords)
    for name in passwords:
        assert re.search(rf"\$\{{{name}:\?", text), f"{name} may be forgotten"
    for credentials in re.findall(r"://([^/]*:[^/]*)@", text):
        assert credentials.endswith("in .env}"), "a URL with a password written out"


def test_S17_the_broker_has_no_guest() -> None:
    user = CONTAINERS["broker"]["environment"]["RABBITMQ_DEFAULT_USER"]
    assert user != "guest"


@every_service
def test_S13_each_service_has_its_own_broker_user_whose_password_the_others_do_not_have(name: str) -> None:
    own = EXAMPLE[f"{name.upper()}_BROKER_PASSWORD"]
    url = make_url(interpolated(CONTAINERS[name]["environment"]["CLERK_BROKER_URL"]))
    assert (url.host, url.username, url.password) == ("broker", name, None)
    assert interpolated(CONTAINERS[name]["environment"]["CLERK_BROKER_PASSWORD"]) == own
    given = CONTAINERS["broker_users"]["environment"]
    assert interpolated(given[PASSWORDS[name]]) == own
    having = {each for each, container in CONTAINERS.items() if own in interpolated(str(container["environment"]))}
    assert having == {name, "broker_users"}


def test_S13_exchanges_queues_and_users_are_the_owners_whose_password_no_service_has() -> None:
    owner = CONTAINERS["broker"]["environment"]
    for name in ONCE:
        url = make_url(interpolated(CONTAINERS[name]["environment"][OWNER_URL]))
        assert url.username == owner["RABBITMQ_DEFAULT_USER"]
        assert url.password == interpolated(owner["RABBITMQ_DEFAULT_PASS"])
    for name in NAMES:
        assert not OF_THE_OWNER & CONTAINERS[name]["environment"].keys()
        assert EXAMPLE["OWNER_BROKER_PASSWORD"] not in interpolated(str(CONTAINERS[name]["environment"]))


def test_the_image_does_not_run_as_root_and_starts_clerk() -> None:
    last_stage = DOCKERFILE.rpartition("FROM ")[2]
    user = re.findall(r"^USER (.+)$", last_stage, re.MULTILINE)
    assert user == ["10001:10001"] == [CONTAINERS["shop"]["user"]]
    assert 'ENTRYPOINT ["clerk"]' in last_stage


def test_the_image_is_built_from_every_package() -> None:
    taken = (ROOT / ".dockerignore").read_text().splitlines()
    built = re.search(r"packages = \[(.*?)\]", (ROOT / "pyproject.toml").read_text(), re.DOTALL)
    assert built
    for package in re.findall(r'"(\w+)"', built.group(1)):
        assert f"!{package}" in taken
    ours = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert set(re.findall(r'"(\w+)"', built.group(1))) == ours - {
        "scenario_tests",
        "tests",
        "tests_browser",
        "tests_clients",
    }
    assert ".env" not in taken
    assert taken[1] == "*"


@pytest.fixture
def prepared() -> Iterator[str]:
    """The PostgreSQL of the tests with what the script makes in it, under names that are taken away again."""
    admin = admin_url()
    yield admin
    databases = [f"DROP DATABASE IF EXISTS {name} WITH (FORCE)" for name in NAMES]
    administer(admin, *databases, *(f"DROP ROLE IF EXISTS {name}" for name in (*NAMES, "clerk_owner")))


def run_script(admin: str, passwords: dict[str, str]) -> subprocess.CompletedProcess[str]:
    url = make_url(admin)
    place = {"PGHOST": url.host or "", "PGPORT": str(url.port), "PGPASSWORD": str(url.password)}
    environment = {"PATH": os.environ["PATH"], "POSTGRES_USER": str(url.username), **place, **passwords}
    return subprocess.run(["sh", SCRIPT], env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.database
def test_S14_a_service_may_read_and_write_its_rows_but_change_no_table_and_see_no_other_database(
    prepared: str, tmp_path: Path
) -> None:
    passwords = {name: f"'@/:%41?# {secrets.token_hex(8)}" for name in EXAMPLE if name.endswith("DATABASE_PASSWORD")}
    (tmp_path / "risk").write_text(passwords["RISK_DATABASE_PASSWORD"] + "\n")
    others = {name: value for name, value in passwords.items() if name != "RISK_DATABASE_PASSWORD"}
    done = run_script(prepared, others | {"RISK_DATABASE_PASSWORD_FILE": str(tmp_path / "risk")})
    assert done.returncode == 0, done.stderr

    def database_as(user: str, name: str) -> Database:
        password = passwords[f"{user.removeprefix('clerk_').upper()}_DATABASE_PASSWORD"]
        url = make_url(prepared).set(username=user, password=password, database=name)
        return Database(url.render_as_string(hide_password=False))

    for service in SERVICES:
        owner = database_as("clerk_owner", service.name)
        migrate(owner, service.package)
        owner.close()
        worker = database_as(service.name, service.name)
        require_migrated(worker, service.package)
        with worker.begin() as tx:
            row = {"exchange": "x", "routing_key": "y", "body": b"z", "written_at": 1}
            assert tx.insert_numbered(service.metadata.tables["outbox"], [row], "number") == [1]
            tx.execute(service.metadata.tables["outbox"].delete())
        for statement, refusal in (
            ("CREATE TABLE extra (id int)", "permission denied for schema public"),
            ("ALTER TABLE outbox ADD extra int", "must be owner of table outbox"),
            ("DROP TABLE outbox", "must be owner of table outbox"),
        ):
            with pytest.raises(Exception, match=refusal), worker.begin() as tx:
                tx.connection.exec_driver_sql(statement)
        worker.close()
        other = database_as(service.name, "risk" if service.name == "shop" else "shop")
        with pytest.raises(Exception, match="permission denied for database"):
            other.ping()
        other.close()


@pytest.mark.database
def test_a_forgotten_password_stops_the_script(prepared: str) -> None:
    done = run_script(prepared, {"OWNER_DATABASE_PASSWORD": "x"})
    assert done.returncode != 0
    assert "SHOP_MANAGER_DATABASE_PASSWORD is not set" in done.stderr
