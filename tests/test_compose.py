"""docker-compose.yml and what belongs to it fit the real settings, commands and doors (security S14, S16, S17)."""

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

from clerk_cli.commands import app
from clerk_cli.services import NAMES, SERVICES, the_service
from clerk_cli.settings_read import read_settings, variable_of
from messaging.database import Database
from messaging.migrations import migrate, require_migrated
from tests.postgres import admin_url, administer

ROOT = Path(__file__).parents[1]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
CONTAINERS: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {*NAMES, "migrate"}
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
    """The value as compose would give it with `.env.example`."""
    return re.sub(r"\$\{(\w+)[^}]*\}", lambda found: EXAMPLE[found.group(1)], value)


def test_there_is_one_container_for_each_service_and_those_they_need() -> None:
    assert set(CONTAINERS) == {*NAMES, "migrate", "broker", "database"}


@pytest.mark.parametrize("name", sorted(OURS))
def test_every_variable_is_a_real_setting_with_a_value_that_it_takes(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = the_service("shop_manager" if name == "migrate" else name)
    cls = service.settings_class()
    known = {variable_of(cls, field) for field in cls.model_fields}
    given = {key: interpolated(value) for key, value in CONTAINERS[name]["environment"].items() if "CLERK_" in key}
    assert given.keys() <= known
    for key, value in given.items():
        monkeypatch.setenv(key, value)
    read_settings(service)


@every_service
def test_each_service_uses_its_own_database_with_its_own_role(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    url = make_url(interpolated(CONTAINERS[name]["environment"]["CLERK_DATABASE_URL"]).replace("{service}", name))
    assert (url.host, url.username, url.database) == ("database", name, name)
    assert url.password == EXAMPLE[f"{name.upper()}_DATABASE_PASSWORD"]


def test_migrations_run_once_before_the_services_as_the_owner() -> None:
    url = interpolated(CONTAINERS["migrate"]["environment"]["CLERK_DATABASE_URL"])
    assert make_url(url).username == "clerk_owner"
    assert "{service}" in url
    for name in NAMES:
        assert CONTAINERS[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


@pytest.mark.parametrize("name", sorted(OURS))
def test_every_command_is_one_that_clerk_has(name: str) -> None:
    words = in_words(CONTAINERS[name]["command"])
    group: Any = typer.main.get_command(app)
    with group.make_context("clerk", list(words)) as context:
        found, command, rest = group.resolve_command(context, [*context._protected_args, *context.args])
        assert found == words[0]
        command.make_context(found, rest).close()
    assert words[1:] == ([] if name == "migrate" else [name])


def test_only_the_front_is_published_and_only_on_loopback() -> None:
    published = {name: container["ports"] for name, container in CONTAINERS.items() if "ports" in container}
    assert published == {"shop_manager": ["127.0.0.1:8470:8470"]}
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    outside = {name for name, container in CONTAINERS.items() if "outside" in container["networks"]}
    assert outside == {"shop_manager"}


def test_the_front_knows_where_the_others_are() -> None:
    environment = CONTAINERS["shop_manager"]["environment"]
    for name in set(NAMES) - {"shop_manager"}:
        assert (
            environment[f"CLERK_{name.upper()}_URL"] == f"http://{name}:{CONTAINERS[name]['environment']['CLERK_PORT']}"
        )


@every_container
def test_no_container_has_more_rights_than_it_needs(name: str) -> None:
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
    assert ("healthcheck" in CONTAINERS[name]) == (name != "migrate")


@every_service
def test_the_health_check_asks_whether_the_service_is_ready(name: str) -> None:
    test = CONTAINERS[name]["healthcheck"]["test"]
    assert test[:3] == ["CMD", "python", "-c"]
    compile(test[3], "health check", "exec")
    port = CONTAINERS[name]["environment"]["CLERK_PORT"]
    assert f'"http://127.0.0.1:{port}/health/ready"' in test[3]
    assert '"/health/ready"' in (ROOT / "doors" / "health.py").read_text()


def test_whoever_is_waited_for_can_be_seen_to_be_there() -> None:
    for container in CONTAINERS.values():
        for other, how in container.get("depends_on", {}).items():
            if how["condition"] == "service_healthy":
                assert "healthcheck" in CONTAINERS[other]


def test_every_secret_comes_from_the_environment_and_has_an_example_marked_as_such() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    assert set(re.findall(r"\$\{(\w+)", text)) == EXAMPLE.keys()
    passwords = {name: value for name, value in EXAMPLE.items() if name.endswith("PASSWORD")}
    assert all(re.fullmatch(r"example-password-\d-change-me", value) for value in passwords.values())
    assert len(set(passwords.values())) == len(passwords)
    for name in passwords:
        assert re.search(rf"\$\{{{name}:\?", text), f"{name} may be forgotten"
    for credentials in re.findall(r"://([^/]*)@", text):
        assert credentials.endswith("in .env}"), "a URL with a password written out"


def test_the_broker_has_no_guest() -> None:
    user = CONTAINERS["broker"]["environment"]["RABBITMQ_DEFAULT_USER"]
    assert user != "guest"
    for name in NAMES:
        assert make_url(interpolated(CONTAINERS[name]["environment"]["CLERK_BROKER_URL"])).username == user


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
def test_a_service_may_read_and_write_its_rows_but_change_no_table_and_see_no_other_database(prepared: str) -> None:
    passwords = {name: secrets.token_hex(8) for name in EXAMPLE if name.endswith("DATABASE_PASSWORD")}
    done = run_script(prepared, passwords)
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
            assert tx.insert_numbered(service.module("store").schema.outbox, [row], "number") == [1]
            tx.execute(service.module("store").schema.outbox.delete())
        for statement in ("CREATE TABLE extra (id int)", "ALTER TABLE outbox ADD extra int", "DROP TABLE outbox"):
            with pytest.raises(Exception, match=r"permission denied|must be owner"), worker.begin() as tx:
                tx.connection.exec_driver_sql(statement)
        worker.close()
        other = database_as(service.name, "risk" if service.name == "shop" else "shop")
        if service.name != other.engine.url.database:
            with pytest.raises(Exception, match="permission denied for database"):
                other.ping()
        other.close()


@pytest.mark.database
def test_a_forgotten_password_stops_the_script(prepared: str) -> None:
    done = run_script(prepared, {"OWNER_DATABASE_PASSWORD": "x"})
    assert done.returncode != 0
    assert "SHOP_MANAGER_DATABASE_PASSWORD is not set" in done.stderr
