"""HTTP clients that open sessions and do no more: each order ends by itself, because its capture is refused."""

from __future__ import annotations

import httpx

from scenario_tests.harness import Harness
from scenario_tests.shop import PROBE
from scenario_tests.waiting import until

ENDS_BY_ITSELF = {"items": [{"sku": PROBE, "quantity": 1}], "payment": {"token": "tok_capture_refused"}}


def opens(client: httpx.Client, harness: Harness) -> httpx.Response:
    """`POST /shop/session` as the shop's backend."""
    headers = {"Authorization": f"Bearer {harness.keys.server}"}
    return client.post(f"{harness.url_of('shop_manager')}/shop/session", json=ENDS_BY_ITSELF, headers=headers)


def opens_until_refused(harness: Harness, limit: float) -> int:
    """Open sessions until one is refused with 503 and Retry-After; returns how many were opened."""
    opened = 0

    def refused() -> bool:
        nonlocal opened
        answer = opens(client, harness)
        opened += answer.status_code == 201
        assert answer.status_code in (201, 503), f"{answer.status_code} {answer.text[:300]}"
        assert answer.status_code == 201 or int(answer.headers["Retry-After"]) > 0
        return answer.status_code == 503

    with httpx.Client(timeout=30.0, trust_env=False) as client:
        until(refused, "too many wait for the broker", limit)
    return opened
