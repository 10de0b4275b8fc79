"""An operator of a simulated shop: looks at the list of stuck Clerks, and acts on each with the version that he saw."""

from __future__ import annotations

from functools import partial
from typing import Any

from domain.messages import SHOP_MANAGER
from domain.refusals import Refused
from shop_manager.saga.happenings import Act, Note, Operated, Retry, Undo
from simulation.participants import SimulatedParticipant
from simulation.runtime import Runtime
from simulation.scenario import Habit

NAME = "olga"
ACTS: dict[Habit, Act] = {"retries": Retry(), "undoes": Undo(), "notes": Note("I have called them")}


class SimulatedOperator:
    """`habit`: what he does about whatever is stuck; None: nobody looks."""

    def __init__(self, runtime: Runtime, habit: Habit | None) -> None:
        self.context = runtime.context
        self.runtime = runtime
        self.habit = habit
        self._seen: set[tuple[str, int]] = set()

    def sees(self, clerk: str, stuck_since: int | None, version: int) -> None:
        """A Clerk as it is now. Each time that it gets stuck he acts once, a little later."""
        if self.habit is None or stuck_since is None or (clerk, stuck_since) in self._seen:
            return
        self._seen.add((clerk, stuck_since))
        wait = self.context.pause(f"operator/{clerk}/{stuck_since}", 100, 30_000)
        act = Operated(ACTS[self.habit], NAME, "it was on the list")
        self.context.later(wait, "the operator looks", partial(self._acts, clerk, stuck_since, act, version))

    def _acts(self, clerk: str, stuck_since: int, operated: Operated, version: int) -> None:
        def act(p: SimulatedParticipant) -> Any:
            return p.manager and p.manager.execute(clerk, operated, version)

        def on_answer(outcome: Any) -> None:
            if not isinstance(outcome, Refused):
                self.context.monitor.rare["operator's act"] += 1
                self.context.confirm("operated", clerk, NAME)
            elif outcome.code == "version_conflict":  # the Clerk has gone on, or he got no answer to his act
                self._seen.discard((clerk, stuck_since))

        self.runtime.call(SHOP_MANAGER, "operates", act, on_answer)
