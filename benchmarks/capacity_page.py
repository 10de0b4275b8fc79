"""Writes docs/capacity.md: `python -m benchmarks.capacity_page FOLDER`.

FOLDER has compare.json, hot.json and scale.json of `clerk bench`. How many of what are needed for so many orders a
second is reckoned from the milliseconds that were measured there; nothing in the page's tables is typed by hand.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.text_table import markdown_table
from clerk_cli.services import NAMES
from domain.messages import SHOP_MANAGER

PAGE = Path(__file__).parent.parent / "docs" / "capacity.md"
TEMPLATE = Path(__file__).with_name("capacity_template.txt")
BUSY = 0.7
"""Part of a core that is planned with: the rest is for bursts, deploys and what was not measured."""
WANTED = (10, 100, 1_000, 10_000)
"""Orders a second."""
ORDER_KB, HOPS = 2.0, 14
"""A command and an answer for each of seven steps carry the whole document."""


@dataclass(frozen=True, slots=True)
class OrderCost:
    """Milliseconds of processor time of one order, by who spends them; kilobytes of write-ahead log; commits."""

    http: float
    engine: float
    services: Mapping[str, float]
    database: float
    broker: float
    wal_kb: float
    commits: float

    @property
    def all_in_one(self) -> float:
        """Of a ShopManager that does both."""
        return self.http + self.engine

    @property
    def slowest(self) -> str:
        return max(self.services, key=lambda name: self.services[name])


def cost_of(compare: Mapping[str, Any]) -> OrderCost:
    """From the medians of `clerk bench compare`: its phase `http` holds all, `engine` the same without opening."""
    engine, http = (compare["medians"]["ours"][phase] for phase in ("engine", "http"))
    deciding = _spent_by(engine, SHOP_MANAGER)
    return OrderCost(
        http=max(_spent_by(http, SHOP_MANAGER) - deciding, 0.0),
        engine=deciding,
        services={name: _spent_by(http, name) for name in NAMES if name != SHOP_MANAGER},
        database=http["cpu_ms.database"]["median"],
        broker=http["cpu_ms.broker"]["median"],
        wal_kb=http["wal_kb"]["median"],
        commits=engine["commits"]["median"],
    )


def _spent_by(figures: Mapping[str, Mapping[str, float]], service: str) -> float:
    """Milliseconds an order of all processes of a service: `risk`, `risk-2`, …"""
    return sum(
        each["median"]
        for name, each in figures.items()
        if name.startswith("cpu_ms.") and name.removeprefix("cpu_ms.").split("-")[0] == service
    )


def processes(milliseconds: float, orders_per_s: float) -> int:
    """How many processes of one core each, at least one."""
    return max(1, math.ceil(orders_per_s * milliseconds / 1000 / BUSY))


def most(milliseconds: float, cores: float = 1.0) -> str:
    """How many orders a second so many cores can do, as written on the page."""
    return f"{_rounded(cores * BUSY * 1000 / milliseconds):,}"


def _rounded(number: float) -> int:
    """To two digits: more would promise too much."""
    digits = max(0, math.floor(math.log10(number)) - 1)
    return int(round(number / 10**digits) * 10**digits)


def cost_table(cost: OrderCost) -> str:
    """Who spends how much on one order."""
    rows = [
        ["ShopManager, taking orders in (`http`)", f"{cost.http:.2f}"],
        ["ShopManager, deciding (`engine`)", f"{cost.engine:.2f}"],
        *([f"{name} service", f"{milliseconds:.2f}"] for name, milliseconds in cost.services.items()),
        ["PostgreSQL, all five databases", f"{cost.database:.2f}"],
        ["RabbitMQ", f"{cost.broker:.2f}"],
    ]
    return markdown_table(["who", "ms of a core"], rows)


def needs_table(cost: OrderCost) -> str:
    """A column for each number of orders a second."""
    of_processes = {"http": cost.http, "engine": cost.engine, **cost.services}
    rows = [
        [f"{name}, processes", *(f"{processes(milliseconds, each):,}" for each in WANTED)]
        for name, milliseconds in of_processes.items()
    ]
    for name, milliseconds in (("database, cores", cost.database), ("broker, cores", cost.broker)):
        rows.append([name, *(f"{processes(milliseconds, each):,}" for each in WANTED)])
    rows.append(["write-ahead log, MB/s", *(f"{each * cost.wal_kb / 1024:,.1f}" for each in WANTED)])
    rows.append(["to and from the broker, MB/s", *(f"{2 * each * HOPS * ORDER_KB / 1024:,.1f}" for each in WANTED)])
    return markdown_table(["orders a second", *(f"{each:,}" for each in WANTED)], rows)


def hot_table(hot: Mapping[str, Any]) -> str:
    """Orders a second where all want one row, and where they do not."""
    phases = hot["medians"]["ours"]
    rows = [
        [phase.replace("_", " "), f"{each['orders_per_s']['median']:,.0f}", f"{each['cpu_ms.database']['median']:.2f}"]
        for phase, each in phases.items()
    ]
    return markdown_table(["all at once", "orders/s", "database ms an order"], rows)


def scale_table(scale: Mapping[str, Any]) -> str:
    """What ShopManager spends on an order when there are more of each."""
    rows = [
        [
            name,
            f"{phases['engine']['orders_per_s']['median']:,.0f}",
            f"{_spent_by(phases['engine'], SHOP_MANAGER):.2f}",
        ]
        for name, phases in scale["medians"].items()
    ]
    return markdown_table(["", "orders/s", "ShopManager ms an order"], rows)


def judged(scale: Mapping[str, Any]) -> str:
    """Whether ShopManager's time an order grows with the number of processes."""
    spent = [_spent_by(phases["engine"], SHOP_MANAGER) for phases in scale["medians"].values()]
    return f"Here four spend {spent[-1] / spent[0]:.2f} times as much of it as one."


def page(compare: Mapping[str, Any], hot: Mapping[str, Any], scale: Mapping[str, Any]) -> str:
    """The whole page, in Markdown."""
    cost, machine = cost_of(compare), compare["machine"]
    return TEMPLATE.read_text().format(
        measured=f"Measured on {compare['at'][:10]} on {machine['cores']} cores of {machine['processor']}",
        busy=f"{BUSY:.0%}",
        costs=cost_table(cost),
        needs=needs_table(cost),
        one_process=most(cost.all_in_one),
        one_engine=most(cost.engine),
        one_service=most(cost.services[cost.slowest]),
        slowest=cost.slowest,
        database=most(cost.database, 16),
        half=most(cost.database / 2, 16),
        broker=most(cost.broker, 4),
        disk=f"{_rounded(200 * 1024 / cost.wal_kb):,}",
        commits=f"{cost.commits:.2f}",
        hot=hot_table(hot),
        scale=scale_table(scale),
        judged=judged(scale),
    )


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", type=Path)
    folder: Path = arguments.parse_args().folder
    PAGE.write_text(page(*read(folder, ("compare", "hot", "scale"))))
    print(f"{PAGE.name} written")


def read(folder: Path, names: Sequence[str]) -> list[Any]:
    """The results of these benchmarks. Ends the program in one line where one is missing."""
    missing = [name for name in names if not (folder / f"{name}.json").exists()]
    if missing:
        raise SystemExit(f"{folder} has no {missing[0]}.json: run `clerk bench {missing[0]} --json {folder}` first")
    return [json.loads((folder / f"{name}.json").read_text()) for name in names]


if __name__ == "__main__":
    main()
