"""The real thing: RabbitMQ and PostgreSQL, in one process with `clerk up` and in five with `clerk serve`."""

from __future__ import annotations

import json
import os
import secrets
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import psycopg2
import pytest
from sqlalchemy import make_url

from clerk_cli.services import NAMES
from clerk_cli.tests.processes import Clerk, clerk

pytestmark = [pytest.mark.broker, pytest.mark.database, pytest.mark.services]


def given(variable: str) -> str:
    """A server's URL. Without one the test is skipped on a laptop, and fails where CI=true."""
    url = os.environ.get(variable)
    if url:
        return url
    if os.environ.get("CI") == "true":
        pytest.fail(f"{variable} is not set")
    pytest.skip(f"{variable} is not set")


@pytest.fixture
def broker() -> str:
    return given("CLERK_TEST_BROKER_URL")


@pytest.fixture
def one_database() -> Iterator[str]:
    """A fresh PostgreSQL database for all five."""
    admin, name = given("CLERK_TEST_DATABASE_URL"), f"clerk_{secrets.token_hex(4)}"
    administer(admin, f"CREATE DATABASE {name}")
    yield make_url(admin).set(database=name).render_as_string(hide_password=False)
    administer(admin, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database_each() -> Iterator[str]:
    """The URL template of five fresh databases."""
    admin, prefix = given("CLERK_TEST_DATABASE_URL"), f"clerk_{secrets.token_hex(4)}_"
    administer(admin, *(f"CREATE DATABASE {prefix}{name}" for name in NAMES))
    yield make_url(admin).set(database="PLACE").render_as_string(False).replace("PLACE", prefix + "{service}")
    administer(admin, *(f"DROP DATABASE {prefix}{name} WITH (FORCE)" for name in NAMES))


def administer(url: str, *statements: str) -> None:
    connection = psycopg2.connect(url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
    connection.close()


def done(*arguments: str, folder: Path, **variables: str) -> Any:
    """What a command prints as JSON."""
    with clerk(*arguments, "--json", folder=folder, **variables) as running:
        code = running.ended()
        assert code == 0, running.errors
        return json.loads("\n".join(running.lines))


def test_up_runs_on_rabbitmq_and_on_one_postgresql_database(broker: str, one_database: str, tmp_path: Path) -> None:
    with clerk("up", "--port", "0", "--broker", broker, "--database", one_database, folder=tmp_path) as running:
        assert running.url
        session = done("order", "SQUEAKY-BONE=1", "--watch", folder=tmp_path)
        assert session["status"] == "completed"
        running.signal(signal.SIGTERM)
        assert running.ended(within=5.0) == 0
        assert not list((tmp_path / ".clerk").glob("*.db"))


def test_five_services_sell_a_bone_through_the_front(broker: str, database_each: str, tmp_path: Path) -> None:
    settings = {"CLERK_BROKER_URL": broker, "CLERK_DATABASE_URL": database_each}
    done("migrate", folder=tmp_path, **settings)
    server_key = done("key", "create", "--scope", "server", folder=tmp_path, **settings)["key"]
    operator = done("operator", "add", "nora", "--role", "viewer", folder=tmp_path, **settings)
    with ExitStack() as stack:
        services = {name: served(stack, name, tmp_path, settings) for name in NAMES if name != "shop_manager"}
        urls = {f"CLERK_{name.upper()}_URL": service.place for name, service in services.items()}
        front = served(stack, "shop_manager", tmp_path, {**settings, **urls})
        furnish(front.place, server_key)
        session = done("order", "SQUEAKY-BONE=2", "--watch", "--url", front.place, folder=tmp_path)
        assert session["status"] == "completed"
        listed = done("list", "--url", front.place, folder=tmp_path, CLERK_OPERATOR_KEY=operator["key"])
        assert [each["id"] for each in listed["data"]] == [session["id"]]
        for service in (*services.values(), front):
            service.signal(signal.SIGTERM)
        for service in (*services.values(), front):
            assert service.ended(within=5.0) == 0


def served(stack: ExitStack, name: str, folder: Path, settings: dict[str, str]) -> Clerk:
    """The service, ready."""
    shipping = {"CLERK_FULFILLMENT_WAREHOUSE": "auto"}
    service = stack.enter_context(clerk("serve", name, "--port", "0", folder=folder, **settings, **shipping))
    service.place = service.url
    return service


def furnish(front: str, server_key: str) -> None:
    """A shop with ten bones, set up through the front only."""
    with httpx.Client(base_url=front, headers={"Authorization": f"Bearer {server_key}"}, timeout=30.0) as http:
        shop = {"name": "Squeaky Toys", "type": "physical", "allows_invoice": False}
        product = {"name": "Squeaky bone", "unit_amount": 1295, "currency": "EUR", "kind": "physical"}
        for path, body in (
            ("/shop/shops/squeaky-toys", shop),
            ("/shop/products/SQUEAKY-BONE", product),
            ("/fulfillment/stock/SQUEAKY-BONE", {"on_hand": 10}),
        ):
            assert http.put(path, json=body).status_code in (200, 201), path
