"""Callers who open sessions and think no more of them: each ends by itself, refused at its card's capture."""

from __future__ import annotations

import httpx

from scenario_tests.shop import PROBE
from scenario_tests.stage import Stage
from scenario_tests.waiting import until

ENDS_BY_ITSELF = {"items": [{"sku": PROBE, "quantity": 1}], "payment": {"token": "tok_capture_refused"}}


def opens(client: httpx.Client, stage: Stage) -> httpx.Response:
    """`POST /shop/session` as the shop's backend."""
    headers = {"Authorization": f"Bearer {stage.keys.server}"}
    return client.post(f"{stage.door('shop_manager')}/shop/session", json=ENDS_BY_ITSELF, headers=headers)


def opens_until_refused(stage: Stage, limit: float) -> int:
    """How many sessions were opened until the door said 503 and when to come again; every answer was one of these."""
    opened = 0

    def refused() -> bool:
        nonlocal opened
        answer = opens(client, stage)
        opened += answer.status_code == 201
        assert answer.status_code in (201, 503), f"{answer.status_code} {answer.text[:300]}"
        assert answer.status_code == 201 or int(answer.headers["Retry-After"]) > 0
        return answer.status_code == 503

    with httpx.Client(timeout=30.0, trust_env=False) as client:
        until(refused, "too many wait for the broker", limit)
    return opened
