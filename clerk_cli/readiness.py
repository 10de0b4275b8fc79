"""What `/health/ready` and `/metrics` tell of the participants of this process."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from time import monotonic

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from doors.health import Check
from messaging.participant import Participant


def checks(participants: Sequence[Participant]) -> dict[str, Check]:
    """Each check by its name; with several participants it is well when it is well with all of them."""
    found: dict[str, list[tuple[str, Check]]] = {}
    for participant in participants:
        for name, check in participant.checks().items():
            told = Check(check.ok, check.detail, check.age_seconds)
            found.setdefault(name, []).append((participant.name, told))
    return {name: _all(each) for name, each in found.items()}


def _all(found: Sequence[tuple[str, Check]]) -> Check:
    if len(found) == 1:
        return found[0][1]
    bad = [f"{name}: {check.detail}" for name, check in found if not check.ok]
    ages = [check.age_seconds for _, check in found if check.age_seconds is not None]
    return Check(not bad, "; ".join(bad) or found[0][1].detail, max(ages, default=None))


def trouble(participants: Iterable[Participant]) -> str | None:
    """The first thing that keeps them from being ready, in one line; None when all is well."""
    for participant in participants:
        for name, check in participant.checks().items():
            if not check.ok:
                return f"{participant.name}: {name}: {check.detail}"
    return None


class Figures:
    """A collector for prometheus-client: what each participant's workers have done, read when asked for."""

    def __init__(self, participants: Sequence[Participant]) -> None:
        self._participants = participants

    def collect(self) -> Iterator[Metric]:
        labels = ["service"]
        handled = CounterMetricFamily("clerk_messages_handled", "Messages that were dealt with.", labels=labels)
        batches = CounterMetricFamily("clerk_batches", "Transactions in which messages were dealt with.", labels=labels)
        held = GaugeMetricFamily("clerk_messages_held", "Messages that failed and are tried again.", labels=labels)
        tick = GaugeMetricFamily("clerk_last_tick_age_seconds", "Seconds since the last tick.", labels=labels)
        statements = CounterMetricFamily("clerk_statements", "Statements sent to the database.", labels=labels)
        commits = CounterMetricFamily("clerk_commits", "Transactions committed.", labels=labels)
        for each in self._participants:
            statements.add_metric([each.name], each.database.statements)
            commits.add_metric([each.name], each.database.commits)
            handled.add_metric([each.name], sum(worker.handled for worker in each.workers))
            batches.add_metric([each.name], sum(worker.batches for worker in each.workers))
            held.add_metric([each.name], sum(len(worker.held) for worker in each.workers))
            tick.add_metric([each.name], monotonic() - each.last_tick)
        yield from (handled, batches, held, tick, statements, commits)


def figures(participants: Sequence[Participant]) -> CollectorRegistry:
    """A registry of this process's participants only."""
    registry = CollectorRegistry()
    registry.register(Figures(participants))
    return registry
