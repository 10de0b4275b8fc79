"""A real Prometheus reads every process with the monitoring key, and every query of the dashboard finds something."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from scenario_tests import prometheus
from scenario_tests.api_client import content_of
from scenario_tests.conftest import harness_name
from scenario_tests.harness import SERVICES
from scenario_tests.prometheus import FOLDER, Prometheus
from scenario_tests.shop import Shop
from scenario_tests.waiting import until

EMPTY_WHILE_ALL_IS_WELL = frozenset(
    {
        "Stuck by cause",
        "Money at risk, in minor units",
        "Failed undos in ten minutes",
        "Time of customers and warehouse, half",
        "Waiting in queues",
        "Consumers of queues",
        "Gateway: places taken, requests that wait",
        "Files of the database, and room left",
    }
)
"""Of these panels the description says when they have nothing to show."""
GUIDE = FOLDER.parents[1] / "docs" / "how-to" / "monitor.md"
PANELS = [panel for panel in json.loads((FOLDER / "dashboard.json").read_text())["panels"] if panel["type"] != "row"]


def test_every_panel_that_may_be_empty_says_so() -> None:
    said = {panel["title"] for panel in PANELS if panel.get("description", "").startswith(("Empty", "SQLite only"))}
    assert said == EMPTY_WHILE_ALL_IS_WELL


def test_the_guide_names_every_figure_that_there_is_and_no_other(shop: Shop) -> None:
    texts = [shop.api.ask("GET", service, "/metrics", shop.harness.keys.server).text for service in SERVICES]
    there = set(re.findall(r"^# TYPE (clerk_\w+) ", "\n".join(texts), re.MULTILINE))
    told = set(re.findall(r"`(clerk_[a-z_]+)`", GUIDE.read_text()))
    assert {name for name in told if has_a_gateway() or not name.startswith("clerk_gateway_")} == there


def has_a_gateway() -> bool:
    """Only where the services are processes of their own."""
    return harness_name() == "services"


def unanswered(server: Prometheus) -> list[str]:
    """Titles and queries of the panels that should show something and do not."""
    return [
        f"{panel['title']}: {target['expr']}"
        for panel in PANELS
        for target in panel["targets"]
        if not server.finds(target["expr"]) and panel["title"] not in EMPTY_WHILE_ALL_IS_WELL
    ]


def test_a_prometheus_with_the_monitoring_key_reads_every_service_and_the_dashboard_shows_it(
    shop: Shop, tmp_path: Path
) -> None:
    prometheus.program()
    # Given a shop with some traffic, and a key for the monitoring
    shop.stocks("SQUEAKY-BONE", 5)
    for _ in range(2):
        shop.customer("ada", token="tok_ok").orders({"SQUEAKY-BONE": 1}).gets_shipped().becomes("completed")
    body = {"scope": "monitoring", "name": "prometheus", "reason": "a test"}
    key = content_of(shop.api.ask("POST", "shop_manager", "/ops/keys", shop.harness.keys.operator, body), 201)["key"]
    targets = {service: shop.harness.url_of(service).removeprefix("http://") for service in SERVICES}
    # When a Prometheus runs as the example says
    with prometheus.running(tmp_path, key, targets) as server:
        # Then it reads all five, and every panel of the dashboard has something to show
        until(lambda: set(server.targets().values()) == {"up"}, lambda: f"all are read: {server.targets()}")
        shop.customer("bob", token="tok_ok").orders({"SQUEAKY-BONE": 1}).gets_shipped().becomes("completed")
        until(lambda: not unanswered(server), lambda: "\n".join(["these find nothing:", *unanswered(server)]))
        assert {each["metric"]["service"] for each in server.finds("clerk_database_up == 1")} == set(SERVICES)
        if has_a_gateway():
            passed_on = {each["metric"]["target"] for each in server.finds("clerk_gateway_places_max == 16")}
            assert passed_on == set(SERVICES) - {"shop_manager"}
        assert server.finds('sum(clerk_sessions_opened_total{process="standard/1"}) > 1')
        assert len(server.rules()) == len(set(server.rules())) >= 20
        # And no alert that the shop itself would be to blame for stays pending
        blamed = 'ALERTS{alertname=~"Clerk(Target|Database|Broker|Worker|Tick|Outbox|NothingHandled).*"}'
        until(lambda: not server.finds(blamed), lambda: f"nothing is pending: {server.finds(blamed)}")


@pytest.mark.parametrize("key", ["mk_abcdefghijkl_" + "x" * 43, ""])
def test_without_a_good_key_a_prometheus_reads_nothing_behind_a_public_address(shop: Shop, key: str) -> None:
    for service in SERVICES:
        answer = shop.api.ask("GET", service, "/metrics", key, headers={"X-Forwarded-For": "203.0.113.7"})
        assert answer.status_code == 401
