"""How many one-shot `standard` orders a second, and what each costs: `python -m benchmarks.orders embedded|services`.

`services` needs CLERK_TEST_BROKER_URL and CLERK_TEST_DATABASE_URL, as `python -m scenario_tests.servers run --` gives.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from threading import local
from time import monotonic, sleep
from typing import Any

import httpx

from benchmarks.shops import Measured, embedded, services, stock_up

SKU = "BENCH-BONE"
ORDER = {"items": [{"sku": SKU, "quantity": 1}], "payment": {"token": "tok_ok"}, "metadata": {"note": "x" * 600}}
QUIET_WITHIN = 300.0
ALONE = 30


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("stage", choices=["embedded", "services"])
    arguments.add_argument("--orders", type=int, default=2000)
    arguments.add_argument("--clients", type=int, default=16)
    wanted = arguments.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if wanted.stage == "embedded":
            with embedded(folder) as shop:
                figures = measure(shop, wanted.orders, wanted.clients)
        else:
            urls = os.environ["CLERK_TEST_BROKER_URL"], os.environ["CLERK_TEST_DATABASE_URL"]
            with services(folder, *urls) as shop:
                figures = measure(shop, wanted.orders, wanted.clients)
    print(json.dumps({"stage": wanted.stage, **figures}, indent=2))  # noqa: T201  # a benchmark prints its table


def measure(shop: Measured, orders: int, clients: int) -> dict[str, Any]:
    """Figures of one run: throughput and cost of `orders` at once, then the time of one alone."""
    stock_up(shop, SKU, orders + 1000)
    place(shop, 20, 4)
    until_over(shop, 20)
    before, cpu, began = shop.counters(), shop.cpu_seconds(), monotonic()
    answers = place(shop, orders, clients)
    placed = monotonic() - began
    until_over(shop, orders + 20)
    took = monotonic() - began
    spent = {name: round((value - before[name]) / orders, 2) for name, value in shop.counters().items()}
    own = (shop.cpu_seconds() - cpu) / orders
    return {
        "ready_after_s": round(shop.ready_after, 2),
        "orders": orders,
        "orders_per_s": round(orders / took, 1),
        "placed_per_s": round(orders / placed, 1),
        "post_session_ms": percentiles(answers),
        "per_order": spent,
        "own_cpu_ms_per_order": round(own * 1000, 2),
        "alone_ms": percentiles(alone(shop)),
        "memory_mib": shop.memory(),
    }


_mine = local()


def client(shop: Measured) -> httpx.Client:
    if not hasattr(_mine, "client"):
        headers = {"Authorization": f"Bearer {shop.server_key}"}
        _mine.client = httpx.Client(base_url=shop.url, headers=headers, timeout=30)
    found: httpx.Client = _mine.client
    return found


def place(shop: Measured, count: int, clients: int) -> list[float]:
    """Place `count` orders from so many clients; the seconds that each answer took."""

    def one(_number: int) -> float:
        began = monotonic()
        client(shop).post("/shop/session", json=ORDER).raise_for_status()
        return monotonic() - began

    with ThreadPoolExecutor(clients) as pool:
        return list(pool.map(one, range(count)))


def until_over(shop: Measured, count: int) -> None:
    """Wait until no session is under way; unless `count` are completed then, the run has failed."""
    end = monotonic() + QUIET_WITHIN
    while sessions(shop, "processing", most=1):
        if monotonic() > end:
            raise TimeoutError(f"orders are still under way after {QUIET_WITHIN:.0f} s")
        sleep(0.05)
    completed = sessions(shop, "completed", most=count)
    if completed < count:
        raise RuntimeError(f"{completed} of {count} orders are completed, and none is under way")


def sessions(shop: Measured, status: str, most: int) -> int:
    """How many sessions of that status the list shows, page by page, up to `most`."""
    count, cursor = 0, ""
    while count < most:
        query: dict[str, str | int] = {"status": status, "limit": min(most, 200)}
        page = client(shop).get("/shop/session", params=query | ({"cursor": cursor} if cursor else {})).json()
        count += len(page["data"])
        cursor = page["next_cursor"]
        if not page["has_more"]:
            break
    return count


def alone(shop: Measured) -> list[float]:
    """Seconds from opened to completed, all seven steps, one order at a time: by the Clerk's own times."""
    times = []
    for _ in range(ALONE):
        session = client(shop).post("/shop/session", json=ORDER).raise_for_status().json()
        while session["status"] != "completed":
            headers = {"Prefer": "wait=20", "If-None-Match": f'"{session["version"]}"'}
            answer = client(shop).get(session["links"]["self"], headers=headers)
            session = answer.json() if answer.status_code == 200 else session
        opened, over = (datetime.fromisoformat(session[name]) for name in ("created_at", "updated_at"))
        times.append((over - opened).total_seconds())
    return times


def percentiles(seconds: list[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    return {
        "p50": round(statistics.median(ordered) * 1000, 1),
        "p99": round(ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))] * 1000, 1),
    }


if __name__ == "__main__":
    main()
