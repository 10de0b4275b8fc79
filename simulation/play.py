"""Plays one scenario to its end, and says what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from simulation.chance import Chance
from simulation.judge import Finding, judge
from simulation.ported import Unguarded
from simulation.ports import Plan
from simulation.scenario import Scenario
from simulation.seams import simulated
from simulation.setting import furnish
from simulation.stores import Stores
from simulation.trace import Trace
from simulation.watch import Broken
from simulation.world import World


@dataclass(frozen=True)
class Outcome:
    """`findings`: the invariants that do not hold, the first one first. `passed`: every (port, occasion), in order."""

    findings: Sequence[Finding]
    digest: str
    rare: Counter[str]
    passed: Sequence[tuple[str, str]] = field(repr=False)
    lines: Sequence[str] = field(default=(), repr=False)


def play(scenario: Scenario, seed: int, plan: Plan, stores: Stores, *, keep_lines: bool = False) -> Outcome:
    """One scenario over these stores, which are emptied first."""
    furnish(stores, scenario)
    trace = Trace(keep_lines)
    chance = Chance(seed)
    drawn = iter(range(1_000_000))
    with simulated(stores.clock.monotonic, lambda count: chance.bytes(f"id/{next(drawn)}", count)):
        world = World(scenario, seed, plan, stores, trace)
        findings = _findings(world)
    stores.guard = Unguarded()
    return Outcome(findings, trace.digest, world.watch.rare, world.ports.passed, trace.lines or ())


def _findings(world: World) -> list[Finding]:
    try:
        world.play()
    except Broken as broken:
        return [Finding(broken.invariant, broken.clerk, broken.what)]
    except Exception as error:  # production code raised where its own loop would only have logged: that is a finding
        return [Finding("error", None, f"{type(error).__name__}: {error}")]
    world.stores.guard = Unguarded()
    return judge(world)
