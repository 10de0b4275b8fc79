"""Values that pages show: for whom a process is said to be."""

from __future__ import annotations

from shop_manager.dashboard.processes_page import audience
from shop_manager.processes.definition import Suits


def test_a_process_is_said_to_be_for_everybody_or_for_its_conditions() -> None:
    assert audience(Suits()) == "for everybody"
    assert audience(Suits(customer_type="trusted", allows_invoice=True)) == (
        "when customer type is trusted and the shop allows invoices"
    )
    assert audience(Suits(allows_invoice=False)) == "when the shop allows no invoices"
