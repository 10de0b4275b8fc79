"""What all parts of one simulated run share: scenario, time, randomness, stores, trace, and what happens later."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count
from random import Random
from typing import Any

from domain.messages import SHOP_MANAGER
from shop_manager.saga.state import ENDED
from simulation.injection_points import FaultPlan, InjectionPoints
from simulation.monitor import Monitor
from simulation.scenario import Scenario
from simulation.seeded_random import SeededRandom
from simulation.stores import Stores
from simulation.trace import Trace


class RunContext:
    """One scenario that is run once, with one seed.

    `rng` gives a number for each named occasion; `sequence` one after the other, which is faster: for what happens so
    often that it has no name. `confirmed`: what people were told with a 2xx, as (what, Clerk, detail). `acts`: how
    often the loop has let somebody act so far.
    """

    def __init__(self, scenario: Scenario, seed: int, plan: FaultPlan, stores: Stores, trace: Trace) -> None:
        self.scenario = scenario
        self.rng = SeededRandom(seed)
        self.sequence = Random(seed)  # noqa: S311  repeatable accidents, not secrets
        self.stores = stores
        self.clock = stores.clock
        self.points = InjectionPoints(plan)
        self.trace = trace
        self.monitor = Monitor()
        self.confirmed: list[tuple[str, str, Any]] = []
        self.acts = 0
        self._later: list[tuple[int, int, str, Callable[[], None], bool]] = []
        self._numbers = count()

    # --- time and randomness ---------------------------------------------------------------------------------------

    def pause(self, occasion: str, least: int, most: int) -> int:
        """A duration in ms, drawn for this occasion, both ends included."""
        return self.rng.between(occasion, least, most)

    def draw_index(self, length: int) -> int:
        """0 ≤ index < length, the next of the sequence."""
        return int(self.sequence.random() * length)

    def later(self, delay: int, what: str, act: Callable[[], None], *, in_chart: bool = False) -> None:
        """Do this in `delay` ms; `what` is its line in the trace, and `in_chart` in the message chart too."""
        heapq.heappush(self._later, (self.clock.now + delay, next(self._numbers), what, act, in_chart))

    def next_later(self) -> int | None:
        """The moment of the soonest of these, in ms; None when there is none."""
        return self._later[0][0] if self._later else None

    def do_next_later(self) -> None:
        _, _, what, act, in_chart = heapq.heappop(self._later)
        self.trace.note(self.clock.now, "-", what, in_chart=in_chart)
        act()

    # --- what people know --------------------------------------------------------------------------------------------

    def confirm(self, what: str, clerk: str, detail: Any) -> None:
        """Somebody was told this with a 2xx. The oracle checks at the end that it is true (I13)."""
        self.confirmed.append((what, clerk, detail))

    def is_over(self, clerk: str) -> bool:
        rows = self.stores.peek(SHOP_MANAGER, "SELECT status FROM clerks WHERE id = ?", clerk)
        return bool(rows) and rows[0][0] in ENDED

    def has_cart(self, clerk: str) -> bool:
        return bool(self.stores.peek("shop", "SELECT 1 FROM carts WHERE session = ?", clerk))
