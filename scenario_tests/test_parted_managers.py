"""ShopManager in parts: processes that answer HTTP and processes that take messages, two of each (`--only`)."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from scenario_tests.api_client import ApiClient
from scenario_tests.services_harness import ServicesHarness
from scenario_tests.shop import Shop

pytestmark = pytest.mark.services


@pytest.fixture
def parts(shop: Shop) -> Iterator[list[str]]:
    """The URLs of two that answer HTTP and of two engines; the first of them is the shop's own."""
    harness = shop.harness
    assert isinstance(harness, ServicesHarness)
    first = harness.process("shop_manager")
    harness.stop("shop_manager")
    first.only = "http"
    try:
        with harness.more_managers(3, ["http", "engine", "engine"]) as others:
            harness.start("shop_manager")
            yield [first.url, *(process.url for process in others)]
    finally:
        harness.stop("shop_manager")
        first.only = None
        harness.start("shop_manager")


def test_an_order_completes_that_one_opens_another_pays_and_engines_drive(shop: Shop, parts: list[str]) -> None:
    _, second_http, *engines = parts
    shop.stocks("SQUEAKY-BONE", 5)
    api = ApiClient(shop.harness, {"shop_manager": second_http})
    here = shop.customer("ada").orders({"SQUEAKY-BONE": 1})
    there = here.seen_by(api)
    with there.is_watched():  # its events come, though this process takes no replies
        here.waits_for("pay")
        there.waits_for("pay").pays()
        here.gets_shipped().becomes("completed")
        there.becomes("completed")
    api.close()
    for engine in engines:
        assert httpx.get(f"{engine}/health/ready").status_code == 200
        assert httpx.get(f"{engine}/metrics").status_code == 200
        assert httpx.get(f"{engine}/shop/session/{here.id}").status_code == 404
        assert httpx.post(f"{engine}/shop/session", json={}).status_code == 404
    assert handled(second_http) == 0 < sum(handled(engine) for engine in engines)


def handled(url: str) -> float:
    """Messages that this process has taken."""
    lines = httpx.get(f"{url}/metrics").text.splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith("clerk_messages_handled_total{"))
