"""Reads the processes for operators: their definitions, and how many live Clerks are at which step."""

from __future__ import annotations

from collections import Counter
from typing import Any

from sqlalchemy import func, select

from messaging.database import Tx
from shop_manager.engine.tables import clerks
from shop_manager.processes import ProcessRegistry
from shop_manager.processes.definition import Process, Step
from shop_manager.sessions.listing import LIVE
from shop_manager.sessions.opening import GUEST
from shop_manager.sessions.repository import look_up

columns = clerks.c


def read_processes(tx: Tx, processes: ProcessRegistry) -> list[dict[str, Any]]:
    """`{reference, name, version, newest, digest, suits, live, stuck, steps}`, by reference.

    A step: `{name, asks, do, undo, waits_for, within_seconds, overdue, pivot, after_the_pivot, live, stuck}`.
    """
    live: Counter[tuple[str, str | None]] = Counter()
    stuck: Counter[tuple[str, str | None]] = Counter()
    by = (columns.process, columns.step)
    rows = tx.execute(
        select(*by, func.count(), func.count(columns.stuck_kind)).where(columns.status.in_(LIVE)).group_by(*by)
    )
    for process, step, count, of_them_stuck in rows:
        live[process, step] += int(count)
        stuck[process, step] += int(of_them_stuck)
    newest = {each.name: max(_versions(processes, each.name)) for each in processes.by_reference.values()}
    return [_shown(each, newest[each.name], live, stuck) for each in processes.by_reference.values()]


def chosen(tx: Tx, processes: ProcessRegistry, customer: str | None, shop: str) -> dict[str, Any] | None:
    """`{process, rule, inputs}`: what a session of this customer (None: a guest) would get; None: an unknown one."""
    known_shops, known_customers = look_up(tx, [shop], [customer] if customer else [])
    known_shop, known_customer = known_shops.get(shop), known_customers.get(customer or "")
    if known_shop is None or (customer is not None and known_customer is None):
        return None
    customer_type = known_customer.type if known_customer else GUEST
    choice = processes.choose(customer_type, known_shop.type, known_shop.allows_invoice)
    return {"process": choice.process.reference, "rule": choice.rule, "inputs": dict(choice.inputs)}


def _versions(processes: ProcessRegistry, name: str) -> list[int]:
    return [each.version for each in processes.by_reference.values() if each.name == name]


def _shown(
    process: Process, newest: int, live: Counter[tuple[str, str | None]], stuck: Counter[tuple[str, str | None]]
) -> dict[str, Any]:
    reference = process.reference
    return {
        "reference": reference,
        "name": process.name,
        "version": process.version,
        "newest": process.version == newest,
        "digest": process.digest,
        "suits": str(process.suits),
        "live": sum(count for (name, _), count in live.items() if name == reference),
        "stuck": sum(count for (name, _), count in stuck.items() if name == reference),
        "steps": [
            {**_step(step), "after_the_pivot": index > process.pivot_index,
             "live": live[reference, step.name], "stuck": stuck[reference, step.name]}
            for index, step in enumerate(process.steps)
        ],
    }  # fmt: skip


def _step(step: Step) -> dict[str, Any]:
    return {
        "name": step.name,
        "asks": step.asks,
        "do": step.do,
        "undo": step.undo,
        "waits_for": step.waits_for,
        "within_seconds": step.within and step.within // 1000,
        "overdue": step.overdue,
        "pivot": step.pivot,
    }
