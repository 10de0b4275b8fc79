"""The business of the baselines is that of an order here: seven steps, about 2 KB of document."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.baselines.business import STEPS, TABLES, do_step, new_document, next_step
from shop_manager.processes import discover


def test_the_steps_are_those_of_our_standard_process() -> None:
    [standard] = [process for process in discover() if process.name == "standard"]
    assert tuple((step.name, step.asks) for step in standard.steps) == STEPS


def test_all_steps_together_make_a_document_of_two_kilobytes() -> None:
    sent: list[str] = []

    def execute(statement: str, values: Mapping[str, Any]) -> Sequence[Any]:
        sent.append(statement % dict.fromkeys(values, "?"))
        return [(1,)]

    document, step = new_document("clk_01a22b4c26f8792b9c81c3c433f99528", 1_796_022_740_728), "shopping"
    while step:
        document = do_step(execute, step, document, 1_796_022_740_900)
        step = next_step(step) or ""
    assert 1500 < len(json.dumps(document)) < 2300
    assert document["credit"]["status"] == "settled" and document["shipment"]["status"] == "shipped"
    assert len(sent) >= len(STEPS)


def test_every_service_of_the_steps_has_tables() -> None:
    assert set(TABLES) == {service for _, service in STEPS}
