"""Fills a new shop with ended and live Clerks: `python -m benchmarks.seed_shop FOLDER --ended 1000000 --live 1000`.

One order of each kind is played on a real `clerk up`; then its rows are copied in bulk, so `clerk verify` finds the
shop clean. Afterwards `clerk up --data FOLDER/data` runs it. `--only shop_manager` fills that database alone, for the
dashboard: quicker, and no shop to be verified.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from io import StringIO
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import httpx
from psycopg2.extensions import set_wait_callback
from sqlalchemy import delete, update

from benchmarks.copied_clerks import Row, Template
from benchmarks.shops import MeasuredShop, embedded, stock_up
from clerk_cli.databases import files_in, opened_shop
from clerk_cli.services import SERVICES
from domain.ids import RANDOMNESS, clerk_id
from domain.times import days, minutes
from fulfillment_service.store import stock
from messaging.database import Database, Tx
from shop_manager.engine.tables import operations_schema
from verifier import still_under_way

SKU, QUANTITY, CREDIT = "SEED-BONE", 2, 10**11
ENDED = {"completed": 80, "failed": 10, "canceled": 6, "expired": 4}
"""Kinds of ended Clerks, in percent."""
LIVE = {"shopping": 50, "shipping": 50}
OVERDUE = {"overdue": 100}
SPREAD = days(30)
"""Ended Clerks are opened over this time, up to now; live ones over the last minute."""
LATELY = minutes(1)
OVER = days(2)
"""Older than any of them may become."""
TABLES = {service.name: service.metadata.sorted_tables for service in SERVICES}
PORTION = 5_000
CACHE_KIB = 512 * 1024
NULL = "\\N"
WITHIN = 60.0


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--ended", type=int, default=100_000)
    arguments.add_argument("--live", type=int, default=0)
    arguments.add_argument("--only", choices=[service.name for service in SERVICES])
    arguments.add_argument("--database", help="a PostgreSQL URL template with {service}; else SQLite files in FOLDER")
    wanted = arguments.parse_args()
    print(json.dumps(seed(wanted.folder, wanted.ended, wanted.live, wanted.only, wanted.database)))


def seed(
    folder: Path,
    ended: int,
    live: int,
    only: str | None = None,
    database: str | None = None,
    *,
    overdue: bool = False,
) -> dict[str, float | int]:
    """Play one order of each kind, then copy them; returns how many Clerks there are and the seconds it took.

    `overdue`: the live ones are all with customers, whose time is over.
    """
    began = monotonic()
    folder.mkdir(parents=True, exist_ok=True)
    template = database or files_in(folder / "data")
    with embedded(folder, "--warehouse", "manual", *(["--database", database] if database else [])) as shop:
        stock_up(shop, SKU, 1_000_000_000)
        played = play(folder, shop)
        with opened_shop(template, None) as databases:
            until(lambda: still_under_way(databases) is None)
    with opened_shop(template, None) as databases:
        copy(databases, played, shares(ended, ENDED) + shares(live, OVERDUE if overdue else LIVE), only)
    return {"clerks": ended + live + len(played), "seconds": round(monotonic() - began, 1)}


def play(folder: Path, shop: MeasuredShop) -> dict[str, str]:
    """Bring one Clerk of each kind to rest; returns their ids by kind."""
    warehouse = json.loads((folder / "data" / "credentials.json").read_text())["warehouse_key"]
    order = {
        "items": [{"sku": SKU, "quantity": QUANTITY}],
        "payment": {"token": "tok_ok"},
        "expires_in": 86_400,
        "customer": "ada",
        "client_reference": "SEED-2026",
    }
    with httpx.Client(base_url=shop.url, headers={"Authorization": f"Bearer {shop.server_key}"}, timeout=30) as client:
        client.put("/risk/customers/ada", json={"limit": CREDIT}).raise_for_status()

        def opened(**body: Any) -> str:
            return str(client.post("/shop/session", json=body).raise_for_status().json()["id"])

        def is_now(session: str, name: str, value: str) -> Callable[[], bool]:
            return lambda: client.get(f"/shop/session/{session}").json()[name] == value

        found = {
            "completed": opened(**order),
            "failed": opened(**{**order, "payment": {"token": "tok_declined"}}),
            "canceled": opened(),
            "expired": opened(),
            "shopping": opened(expires_in=86_400),
            "overdue": opened(expires_in=86_400),
            "shipping": opened(**order),
        }
        client.post(f"/shop/session/{found['canceled']}/cancel").raise_for_status()
        client.post(f"/shop/session/{found['expired']}/expire").raise_for_status()
        ship, label = f"/fulfillment/{found['completed']}/ship", {"carrier": "Dog Sled", "tracking": "SEED-1"}
        as_warehouse = {"Authorization": f"Bearer {warehouse}"}
        until(lambda: client.post(ship, json=label, headers=as_warehouse).is_success)
        until(is_now(found["shipping"], "payment_status", "captured"))
        for kind in ENDED:
            until(is_now(found[kind], "status", kind))
    return found


def until(holds: Callable[[], bool]) -> None:
    """Wait until the condition holds; TimeoutError after WITHIN seconds."""
    end = monotonic() + WITHIN
    while not holds():
        if monotonic() > end:
            raise TimeoutError(f"the shop has not come to rest within {WITHIN:.0f} s")
        sleep(0.05)


def copy(databases: Mapping[str, Database], played: Mapping[str, str], counts: Counter[str], only: str | None) -> None:
    """Copy the played Clerks: so many of each kind."""
    clerk_templates = {kind: Template(kind, clerk, databases, TABLES) for kind, clerk in played.items()}
    for kind, count in counts.items():
        spread = SPREAD if kind in ENDED else LATELY
        older = OVER if kind in OVERDUE else 0
        for first in range(0, count, PORTION):
            numbers = range(first, min(first + PORTION, count))
            copies = [
                values_of_copy(clerk_templates[kind], -spread * (count - number) // count - older) for number in numbers
            ]
            for service in [only] if only else TABLES:
                with databases[service].begin() as tx:
                    keep_pages(tx)
                    for row, values in clerk_templates[kind].copies(service, copies):
                        insert(tx, row, values)
    if only in (None, "fulfillment"):
        count_stock(databases["fulfillment"], counts)
    with databases["shop_manager"].begin() as tx:
        tx.execute(delete(operations_schema.tallies))  # they are counted anew


def shares(total: int, percent: Mapping[str, int]) -> Counter[str]:
    """`total`, shared out by kind."""
    found = Counter({kind: total * share // 100 for kind, share in percent.items()})
    found[next(iter(percent))] += total - found.total()
    return found


def values_of_copy(template: Template, shift: int) -> list[Any]:
    """The name and times of a new copy, `shift` ms from its original's."""
    clerk = clerk_id(template.opened_at + shift, os.urandom(RANDOMNESS))
    return template.values(clerk.removeprefix("clk_"), shift)


def keep_pages(tx: Tx) -> None:
    """Terms and the like go everywhere into their trees: SQLite is not to write and read each page again and again."""
    if tx.database.dialect == "sqlite":
        tx.connection.exec_driver_sql(f"PRAGMA cache_size = -{CACHE_KIB}")


def insert(tx: Tx, row: Row, values: Sequence[tuple[Any, ...]]) -> None:
    """Insert many rows, the fastest way that SQLite or PostgreSQL has."""
    columns = ", ".join(row.columns)
    if tx.database.dialect == "sqlite":
        marks = ", ".join("?" * len(row.columns))
        tx.connection.exec_driver_sql(f"INSERT INTO {row.table} ({columns}) VALUES ({marks})", list(values))  # noqa: S608
        return
    text = StringIO()
    csv.writer(text).writerows([[NULL if value is None else value for value in each] for each in values])
    text.seek(0)
    set_wait_callback(None)  # with one there is no COPY
    cursor: Any = tx.connection.connection.cursor()
    cursor.copy_expert(f"COPY {row.table} ({columns}) FROM STDIN WITH (FORMAT csv, NULL '{NULL}')", text)
    cursor.close()


def count_stock(database: Database, counts: Mapping[str, int]) -> None:
    """Take from the stock what the copies reserved and shipped."""
    shipped, reserved = QUANTITY * counts["completed"], QUANTITY * counts["shipping"]
    moved = {
        "on_hand": stock.c.on_hand - shipped - reserved,
        "shipped": stock.c.shipped + shipped,
        "reserved": stock.c.reserved + reserved,
    }
    with database.begin() as tx:
        tx.execute(update(stock).where(stock.c.sku == SKU).values(moved))


if __name__ == "__main__":
    main()
