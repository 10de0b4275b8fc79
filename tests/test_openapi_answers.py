"""Every answer is as the OpenAPI document says: all routes are called, and each answer is compared with its schema.

The scenarios do the same with whatever comes up in them (scenario_tests/embedded_harness.py).
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from http_api.openapi import operations_in
from payment_service.provider_webhooks import sign
from scenario_tests.waiting import until
from tests.test_who_may_what import OF_SERVICES
from tests.who_may.principals import Principals
from tests.who_may.shop_under_test import PROVIDER_SECRET, ShopUnderTest

COLUMNS = ("nobody", "own", "ended", "other", "server", "warehouse", "viewer", "admin", "useless")
BECAUSE = {"reason": "asked by a test"}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShopUnderTest]:
    with ShopUnderTest(tmp_path_factory.mktemp("shop")) as shop:
        yield shop


def test_every_answer_is_documented_and_every_operation_was_answered(shop: ShopUnderTest) -> None:
    asyncio.run(ask_as_everybody(Principals(shop)))
    ask_what_the_table_does_not(shop)
    assert [each for check in shop.checks for each in check.found] == []
    answered = {name for check in shop.checks for name, status in check.seen if status < 400}
    documented = {each["operationId"] for app in shop.apps.values() for each in operations_in(app.openapi())}
    assert documented - answered == set()


async def ask_as_everybody(principals: Principals) -> None:
    for row in OF_SERVICES:
        for column in COLUMNS:
            await principals.asks(row, column, principals.credentials(column, row.service)[0])


def ask_what_the_table_does_not(shop: ShopUnderTest) -> None:
    """Acts that succeed only with a header, once, or before the pivot; answers that are read to their end."""
    for end in ("cancel", "expire"):
        opened = shop.ask("POST", "/shop/session", {})
        assert shop.call("POST", f"/shop/session/{opened['id']}/{end}", None, "server").is_success
    shop.ask("PUT", f"/shop/carts/{shop.sessions['other']}/items/SQUEAKY-BONE", {"quantity": 2})
    open_one = f"/shop/session/{shop.sessions['other']}"
    for headers in ({}, {"If-Match": '"999"'}):
        shop.call("PATCH", open_one, {"metadata": {"gift": True}}, "server", headers)
    until(lambda: is_amended(shop, open_one), "the session could be amended as it was seen")
    clerk = f"/ops/clerks/{shop.sessions['own']}"
    seen = shop.call("GET", clerk, None, "viewer").headers["etag"]
    for headers in ({}, {"If-Match": '"1"'}, {"If-Match": seen}):
        shop.call("POST", f"{clerk}/actions", {"action": "note", **BECAUSE}, "admin", headers)
    for path in (clerk, f"/shop/session/{shop.sessions['own']}"):
        assert shop.call("GET", path, None, "admin", {"If-None-Match": "*"}).status_code == 304
    assert shop.call("GET", "/ops/clerks.csv", None, "viewer").is_success
    assert shop.call("GET", "/ops/clerks.json", None, "viewer").is_success
    shop.ask("POST", "/ops/views", {"name": "mine", "query": "stuck=yes"}, "viewer")
    assert shop.call("DELETE", "/ops/views/mine", None, "viewer").status_code == 204
    for action in ({"action": "renew"}, {"action": "disable"}):
        shop.ask("POST", "/ops/people/somebody/actions", {**action, **BECAUSE}, "admin")
    two = [shop.sessions["own"], shop.sessions["other"]]
    bulk = shop.ask("POST", "/ops/bulk", {"action": "note", "ids": two, **BECAUSE}, "admin")["id"]
    shop.ask("POST", f"/ops/bulk/{bulk}/start", {"per_minute": 1}, "admin")
    assert shop.call("POST", f"/ops/bulk/{bulk}/stop", None, "admin").is_success, "the second has a minute yet"
    alert = shop.ask("POST", "/ops/alerts/test", None, "admin")["id"]
    until(lambda: is_given_up(shop, alert), "a test alert is given up where nobody takes it")
    assert shop.call("POST", f"/ops/alerts/{alert}/again", None, "admin").status_code == 202
    assert report_from_provider(shop, {"id": "evt_1", "type": "payment.voided", "key": "none"}).is_success


def is_given_up(shop: ShopUnderTest, alert: str) -> bool:
    [delivery] = shop.call("GET", f"/ops/alerts?alert={alert}", None, "viewer").json()["data"]
    return bool(delivery["state"] == "given_up")


def is_amended(shop: ShopUnderTest, session: str) -> bool:
    """Not while what the cart reports has just made another version of it."""
    seen = shop.call("GET", session, None, "server").headers["etag"]
    return bool(shop.call("PATCH", session, {"metadata": {"gift": True}}, "server", {"If-Match": seen}).is_success)


def report_from_provider(shop: ShopUnderTest, event: dict[str, Any]) -> Any:
    signature = sign(PROVIDER_SECRET, json.dumps(event).encode(), int(time.time() * 1000))
    return shop.call("POST", "/payment/provider-events", event, "server", {"Provider-Signature": signature})
