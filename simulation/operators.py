"""An operator of a simulated shop: looks at the list of stuck Clerks, and acts on each with the version that he saw."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from domain.refusals import Refused
from shop_manager.happenings import Act, Note, Operated, Retry, Undo
from simulation.scenario import Habit

if TYPE_CHECKING:
    from simulation.world import World

NAME = "olga"
ACTS: dict[Habit, Act] = {"retries": Retry(), "undoes": Undo(), "notes": Note("I have called them")}


class Operator:
    """`habit`: what he does about whatever is stuck; None: nobody looks."""

    def __init__(self, world: World, habit: Habit | None) -> None:
        self.world = world
        self.habit = habit
        self._seen: set[tuple[str, int]] = set()

    def sees(self, clerk: str, stuck_since: int | None, version: int) -> None:
        """A Clerk as it is now; each time that it gets stuck is looked at once, a little later."""
        if self.habit is None or stuck_since is None or (clerk, stuck_since) in self._seen:
            return
        self._seen.add((clerk, stuck_since))
        wait = self.world.pause(f"operator/{clerk}/{stuck_since}", 100, 30_000)
        act = Operated(ACTS[self.habit], NAME, "it was on the list")
        self.world.later(wait, "the operator looks", partial(self._acts, clerk, stuck_since, act, version))

    def _acts(self, clerk: str, stuck_since: int, act: Operated, version: int) -> None:
        def told(outcome: Any) -> None:
            if not isinstance(outcome, Refused):
                self.world.watch.rare["operator's act"] += 1
                self.world.told("operated", clerk, NAME)
            elif outcome.code == "version_conflict":  # it has gone on, or he was not told that he was heard
                self._seen.discard((clerk, stuck_since))

        self.world.visit("shop_manager", "operates", lambda p: p.manager and p.manager.wish(clerk, act, version), told)
