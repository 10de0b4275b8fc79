"""A monitoring key opens figures and readiness at all five doors, and nothing else (docs/decisions/119)."""

from __future__ import annotations

from scenario_tests.api_client import content_of
from scenario_tests.harness import SERVICES
from scenario_tests.shop import Shop
from scenario_tests.test_revoked_keys import DOORS, operator_revokes
from scenario_tests.waiting import until

REFUSED_WITHIN = 30.0
"""Seconds, as for any key."""


def figures_at(shop: Shop, key: str) -> dict[str, int]:
    """Of each service the status of `/metrics` for this key."""
    return {service: shop.api.ask("GET", service, "/metrics", key).status_code for service in SERVICES}


def test_S1_a_monitoring_key_reads_figures_and_readiness_of_every_service_and_nothing_else(shop: Shop) -> None:
    # Given a key that an admin has made for the monitoring
    body = {"scope": "monitoring", "name": "prometheus", "reason": "a test"}
    made = content_of(shop.api.ask("POST", "shop_manager", "/ops/keys", shop.harness.keys.operator, body), 201)
    key = made["key"]
    # Then it reads the figures and the details of readiness at every service
    for service in SERVICES:
        assert (
            f'clerk_messages_handled_total{{service="{service}"}}' in shop.api.ask("GET", service, "/metrics", key).text
        )
        checks = content_of(shop.api.ask("GET", service, "/health/ready", key), 200)["checks"]
        assert {"database", "broker", "consumer", "last_tick"} <= set(checks)
    # And nothing else: not what another key opens, nor what everybody may do without one
    for service, (method, path, sent) in DOORS.items():
        if path != "/metrics":
            assert shop.api.ask(method, service, path, key, sent).status_code == 403
    assert shop.api.ask("POST", "shop_manager", "/shop/session", key, {}).status_code == 403
    # And once it is revoked it reads nothing any more
    operator_revokes(shop, made["id"])
    until(lambda: set(figures_at(shop, key).values()) == {401}, "every service refuses it", REFUSED_WITHIN)
