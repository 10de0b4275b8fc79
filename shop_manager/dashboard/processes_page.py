"""The page of processes: each version drawn, who is where on it, and which one a customer would get."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from doors.problems import Problem
from shop_manager.dashboard.shell import Shell
from shop_manager.dashboard.way import with_counts
from shop_manager.operations.reads import Reads


def processes_page(router: APIRouter, shell: Shell, reads: Reads) -> None:
    @router.get("/processes")
    def processes(request: Request, customer: str = "", shop: str = "") -> Response:
        found = reads.processes()
        drawn = [(each, with_counts(reads.catalogue[each["reference"]], each["steps"])) for each in found]
        chosen, wrong = _chosen(reads, customer.strip(), shop.strip()) if shop.strip() else (None, "")
        return shell.page(
            request, "processes.html", drawn=drawn, customer=customer, shop=shop, chosen=chosen, wrong=wrong
        )


def _chosen(reads: Reads, customer: str, shop: str) -> tuple[dict[str, Any] | None, str]:
    """(which process it would be, or None; why none)."""
    try:
        return reads.chosen(customer or None, shop), ""
    except Problem as problem:
        return None, problem.detail
