"""All pages but the home page and the list of Clerks, in the order of the navigation."""

from __future__ import annotations

from fastapi import APIRouter

from shop_manager.dashboard.audit_page import audit_page
from shop_manager.dashboard.bulk_page import bulk_pages
from shop_manager.dashboard.checks_page import checks_page
from shop_manager.dashboard.clerk_page import clerk_page
from shop_manager.dashboard.figures_page import figures_page
from shop_manager.dashboard.help_page import help_page
from shop_manager.dashboard.live import Live
from shop_manager.dashboard.parked_page import parked_pages
from shop_manager.dashboard.people_page import people_page
from shop_manager.dashboard.processes_page import processes_page
from shop_manager.dashboard.shell import Shell
from shop_manager.operations import Operations


def add_pages(router: APIRouter, shell: Shell, live: Live, operations: Operations) -> None:
    clerk_page(router, shell, live, operations)
    parked_pages(router, shell, operations)
    processes_page(router, shell, operations.reads)
    figures_page(router, shell, operations.reads)
    bulk_pages(router, shell, live, operations)
    audit_page(router, shell, operations.reads)
    checks_page(router, shell, operations.reads)
    people_page(router, shell, operations)
    help_page(router, shell)
