"""The page of processes: each version drawn with its live Clerks, and which process a customer would get."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from http_api.problems import Problem
from shop_manager.dashboard.diagram import diagram_with_counts
from shop_manager.dashboard.layout import Layout
from shop_manager.operations.reads import Reads
from shop_manager.processes.definition import Process, Suits, in_words


def processes_page(router: APIRouter, layout: Layout, reads: Reads) -> None:
    @router.get("/processes")
    def processes(request: Request, customer: str = "", shop: str = "") -> Response:
        chosen, error = _chosen(reads, customer.strip(), shop.strip()) if shop.strip() else (None, "")
        return layout.page(
            request,
            "processes.html",
            drawn=[_drawn(reads.registry[line["reference"]], line) for line in reads.processes()],
            customer=customer,
            shop=shop,
            chosen=chosen,
            error=error,
        )


def audience(suits: Suits) -> str:
    """For whom a process is: `for everybody`, `when customer type is trusted and the shop allows invoices`."""
    return f"when {in_words(str(suits))}" if suits.conditions() else "for everybody"


def _told(value: object) -> str:
    """A process's input, as a page shows it."""
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)


def _drawn(process: Process, line: dict[str, Any]) -> dict[str, Any]:
    """A line of `/ops/processes` with what the page draws."""
    return {**line, "audience": audience(process.suits), "diagram": diagram_with_counts(process, line["steps"])}


def _chosen(reads: Reads, customer: str, shop: str) -> tuple[dict[str, Any] | None, str]:
    """(which process it would be, or None; why none)."""
    try:
        found = reads.chosen(customer or None, shop)
        inputs = {name: _told(value) for name, value in found["inputs"].items()}
        return {**found, "rule": in_words(found["rule"]), "inputs": inputs}, ""
    except Problem as problem:
        return None, problem.detail
