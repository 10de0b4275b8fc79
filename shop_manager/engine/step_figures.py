"""How long each step took those who had the turn, and how often an undo failed: for `/metrics`, of this process, and
by the hour for the page of figures (step_hours.py).

The labels are those of the processes: their names, their steps, and who has the turn.
"""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import Counter, Histogram
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from shop_manager.engine.step_hours import WHOLE, StepHours
from shop_manager.saga.happenings import Decision
from shop_manager.saga.state import HistoryEntry, Question, Saga

_ANSWERS = frozenset({"done", "undone", "refused", "do_failed", "undo_failed"})
_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0, 300.0, 3600.0, 86_400.0)


class StepFigures(Collector):
    """`decided` is called for each reply that was taken, after its commit."""

    def __init__(self) -> None:
        self._seconds = Histogram(
            "clerk_step_seconds",
            "From the moment at which somebody had the turn at a step until the answer, or the next one's turn.",
            ["process", "step", "direction", "turn"],
            buckets=_BUCKETS,
            registry=None,
        )
        self._known: dict[tuple[str, ...], Histogram] = {}
        self.hours = StepHours()
        self._undo_failures = Counter(
            "clerk_undo_failures",
            "Answers of services that they cannot undo their step now.",
            ["process", "step"],
            registry=None,
        )

    def collect(self) -> Iterator[Metric]:
        yield from self._seconds.collect()
        yield from self._undo_failures.collect()

    def decided(self, before: Saga, decision: Decision) -> None:
        """What a reply has led to, and the Clerk as it was before."""
        question = before.question
        if question is None:
            return
        for entry in decision.entries:
            passes_on = entry.what == "reported" and before.waits_for != decision.saga.waits_for
            if entry.step != question.step or not (entry.what in _ANSWERS or passes_on):
                continue
            since = before.updated_at if before.is_authorizing else question.asked_at
            labels = before.process, question.step, question.direction, before.waits_for or "service"
            found = self._known.get(labels)
            if found is None:
                found = self._known[labels] = self._seconds.labels(*labels)
            found.observe(max(0, entry.at - since) / 1000)
            if question.direction == "do":
                self._of_hour(before, question, entry, since)
            if entry.what == "undo_failed":
                self._undo_failures.labels(before.process, question.step).inc()

    def _of_hour(self, before: Saga, question: Question, entry: HistoryEntry, since: int) -> None:
        step = question.step
        self.hours.took(entry.at, before.process, step, before.waits_for or "service", entry.at - since)
        if entry.what == "done":
            answered = (progress.at for name, progress in before.steps.items() if name != step)
            begun = max(answered, default=before.opened_at)
            self.hours.took(entry.at, before.process, step, WHOLE, entry.at - begun)
