"""Runs one scenario to its end, and says which invariants do not hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from simulation.chart import TraceLine
from simulation.database_hooks import NoHooks
from simulation.injection_points import FaultPlan
from simulation.monitor import InvariantBroken
from simulation.oracle import Finding, find_violations
from simulation.patches import patched
from simulation.run_context import RunContext
from simulation.scenario import Scenario
from simulation.scenario_setup import fill_stores
from simulation.seeded_random import SeededRandom
from simulation.stores import Stores
from simulation.trace import Trace
from simulation.world import World


@dataclass(frozen=True)
class ScenarioOutcome:
    """`findings`: the invariants that do not hold. `passed`: every (injection point, occasion), in order."""

    findings: Sequence[Finding]
    digest: str
    rare: Counter[str]
    passed: Sequence[tuple[str, str]] = field(repr=False)
    lines: Sequence[TraceLine] = field(default=(), repr=False)


def run_scenario(
    scenario: Scenario, seed: int, plan: FaultPlan, stores: Stores, *, keep_lines: bool = False
) -> ScenarioOutcome:
    """One scenario over these stores, which are emptied first."""
    fill_stores(stores, scenario)
    trace = Trace(keep_lines)
    rng = SeededRandom(seed)
    drawn = iter(range(1_000_000))
    with patched(stores.clock.monotonic, lambda count: rng.bytes(f"id/{next(drawn)}", count)):
        context = RunContext(scenario, seed, plan, stores, trace)
        findings = _findings(context)
    stores.hooks = NoHooks()
    return ScenarioOutcome(findings, trace.digest, context.monitor.rare, context.points.passed, trace.lines or ())


def _findings(context: RunContext) -> list[Finding]:
    try:
        World(context).run_until_quiet()
    except InvariantBroken as broken:
        return [Finding(broken.invariant, broken.clerk, broken.what)]
    except Exception as error:  # production code raised where its own loop would only have logged: that is a finding
        return [Finding("error", None, f"{type(error).__name__}: {error}")]
    context.stores.hooks = NoHooks()
    return find_violations(context)
