"""`clerk up` in one process and `clerk serve` in five, on a real RabbitMQ and PostgreSQL."""

from __future__ import annotations

import json
import secrets
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import make_url

from clerk_cli.services import NAMES
from clerk_cli.tests.processes import ClerkProcess, clerk
from http_api.keys import KeyRing
from http_api.operators import Operators, hash_of
from messaging.database import Database
from messaging.rabbitmq.url import user_in
from messaging.tests.brokers import broker_url
from scenario_tests.servers import attached_servers
from scenario_tests.shop_broker import ShopBroker
from tests.postgres import admin_url, administer

pytestmark = [pytest.mark.broker, pytest.mark.database, pytest.mark.services]


@pytest.fixture
def broker() -> str:
    return broker_url()


@pytest.fixture
def own_users(broker: str) -> Callable[[str], dict[str, str]]:
    """By service, the variables with which it is logged in as itself, on a broker of ours; else as the one user."""
    servers = attached_servers()
    if servers is None:
        return lambda service: {"CLERK_BROKER_URL": broker, "CLERK_BROKER_SHARED_USER": user_in(broker)}
    return ShopBroker(servers, secrets.token_hex(4)).variables


@pytest.fixture
def one_database() -> Iterator[str]:
    """A fresh PostgreSQL database for all five."""
    admin, name = admin_url(), f"clerk_{secrets.token_hex(4)}"
    administer(admin, f"CREATE DATABASE {name}")
    yield make_url(admin).set(database=name).render_as_string(hide_password=False)
    administer(admin, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database_each() -> Iterator[str]:
    """The URL template of five fresh databases."""
    admin, prefix = admin_url(), f"clerk_{secrets.token_hex(4)}_"
    administer(admin, *(f"CREATE DATABASE {prefix}{name}" for name in NAMES))
    yield make_url(admin).set(database="PLACE").render_as_string(False).replace("PLACE", prefix + "{service}")
    administer(admin, *(f"DROP DATABASE {prefix}{name} WITH (FORCE)" for name in NAMES))


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


def test_five_services_sell_a_bone_through_the_gateway(
    own_users: Callable[[str], dict[str, str]], database_each: str, tmp_path: Path
) -> None:
    settings = {"CLERK_DATABASE_URL": database_each, "CLERK_DEVELOPMENT": "yes"}
    done("migrate", folder=tmp_path, **settings)
    server_key = done("key", "create", "--scope", "server", folder=tmp_path, **settings)["key"]
    operator = done("operator", "add", "nora", "--role", "viewer", folder=tmp_path, **settings)
    with ExitStack() as stack:
        services = {
            name: started(stack, name, tmp_path, settings | own_users(name)) for name in NAMES if name != "shop_manager"
        }
        urls = {f"CLERK_{name.upper()}_URL": service.url for name, service in services.items()}
        manager = started(stack, "shop_manager", tmp_path, settings | own_users("shop_manager") | urls)
        fill_shop(manager.url, server_key)
        session = done("order", "SQUEAKY-BONE=2", "--watch", "--url", manager.url, folder=tmp_path)
        assert session["status"] == "completed"
        choose_password(database_each.replace("{service}", "shop_manager"), "nora")
        listed = done("list", "--url", manager.url, folder=tmp_path, CLERK_OPERATOR_KEY=operator["key"])
        assert [each["id"] for each in listed["data"]] == [session["id"]]
        for service in (*services.values(), manager):
            service.signal(signal.SIGTERM)
        for service in (*services.values(), manager):
            assert service.ended(within=5.0) == 0


def choose_password(database_url: str, name: str) -> None:
    """As on the dashboard: from then on the person's key is good, within ten seconds."""
    with closing(Database(database_url)) as database, database.begin() as tx:
        Operators(KeyRing(database)).change_password_within(tx, name, hash_of(secrets.token_urlsafe(18)))


def started(stack: ExitStack, name: str, folder: Path, settings: dict[str, str]) -> ClerkProcess:
    """A running service that is ready."""
    shipping = {"CLERK_FULFILLMENT_WAREHOUSE": "auto"}
    service = stack.enter_context(clerk("serve", name, "--port", "0", folder=folder, **settings, **shipping))
    assert service.url
    return service


def fill_shop(url: str, server_key: str) -> None:
    """A shop with ten bones, set up through ShopManager's gateway only."""
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {server_key}"}, timeout=30.0) as http:
        shop = {"name": "Squeaky Toys", "type": "physical", "allows_invoice": False}
        product = {"name": "Squeaky bone", "unit_amount": 1295, "currency": "EUR", "kind": "physical"}
        for path, body in (
            ("/shop/shops/squeaky-toys", shop),
            ("/shop/products/SQUEAKY-BONE", product),
            ("/fulfillment/stock/SQUEAKY-BONE", {"on_hand": 10}),
        ):
            assert http.put(path, json=body).status_code in (200, 201), path
