"""Step times for the monitoring: each part of a step counts for whoever had the turn."""

from __future__ import annotations

from pathlib import Path

from prometheus_client import CollectorRegistry

from domain.times import minutes
from messaging.memory import MemoryBroker
from shop_manager.tests.manager_harness import ManagerHarness


def times(harness: ManagerHarness) -> dict[tuple[str, str, str], tuple[float, float]]:
    """By (step, direction, turn): how often, and how many seconds in all."""
    registry = CollectorRegistry()
    registry.register(harness.manager.step_figures)
    found: dict[tuple[str, str, str], list[float]] = {}
    for metric in registry.collect():
        for sample in metric.samples:
            if sample.name in ("clerk_step_seconds_count", "clerk_step_seconds_sum"):
                assert sample.labels["process"] == "standard/1"
                labels = sample.labels["step"], sample.labels["direction"], sample.labels["turn"]
                found.setdefault(labels, []).append(sample.value)
    return {labels: (count, seconds) for labels, (count, seconds) in found.items()}


def undo_failures(harness: ManagerHarness) -> float:
    registry = CollectorRegistry()
    registry.register(harness.manager.step_figures)
    labels = {"process": "standard/1", "step": "credit"}
    return registry.get_sample_value("clerk_undo_failures_total", labels) or 0.0


def test_the_time_of_a_step_is_from_the_question_to_the_answer_and_counts_after_the_commit(tmp_path: Path) -> None:
    harness = ManagerHarness(tmp_path, MemoryBroker())
    harness.opens("clk_1")
    [shopping] = harness.sent()
    harness.now += minutes(2)
    harness.hears(harness.replies(shopping))
    assert times(harness) == {}
    harness.manager.after_commit()
    assert times(harness) == {("shopping", "do", "service"): (1, 120)}  # the session had brought its items along
    [credit] = harness.sent()
    harness.now += 250
    harness.hears(harness.replies(credit), harness.replies(credit))  # the second changes nothing
    harness.manager.after_commit()
    assert times(harness)["credit", "do", "service"] == (1, 0.25)


def test_undos_have_their_own_times_and_their_failures_are_counted(tmp_path: Path) -> None:
    harness = ManagerHarness(tmp_path, MemoryBroker())
    harness.opens("clk_1")
    harness.hears(harness.replies(harness.sent()[0]))
    harness.hears(harness.replies(harness.sent()[0]))
    [payment] = harness.sent()
    harness.hears(harness.replies(payment, "refused"))
    harness.manager.after_commit()
    [undo] = harness.sent()
    assert (undo.step, undo.direction) == ("credit", "undo")
    harness.now += 1500
    harness.hears(harness.replies(undo, "refused"))
    harness.manager.after_commit()
    assert times(harness)["credit", "undo", "service"] == (1, 1.5) and undo_failures(harness) == 1
