"""Who watches the transactions of the participant at work: where it dies, is doubted, or is intruded upon.

It is the `Guard` of the stores (stores.py), and the moment at which customers and the warehouse look at what is new.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from domain.messages import SHOP_MANAGER
from shop_manager.happenings import Cancelled
from simulation.ports import Crash

if TYPE_CHECKING:
    from simulation.participants import Participant
    from simulation.world import World


LIVE = """SELECT id, step, waiting_for, status, stuck_since, version FROM clerks
    WHERE wake_at IS NOT NULL ORDER BY id"""


class Watchman:
    """One world's guard."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._intruded = False
        self._sight: dict[str, tuple[str, str, str]] = {}

    def begins(self, service: str) -> None:
        if self._world.acting:
            self._world.ports.reached(self._world.acting.name, "begin")

    def about_to_write_clerks(self, give_way: Callable[[Callable[[], None]], None]) -> None:
        """Another ShopManager may get in between what was read and what is about to be written (T3)."""
        world, who = self._world, self._world.acting
        others = [each for each in world.participants.values() if each.manager and each.alive and each is not who]
        if who is None or not others or self._intruded:
            return
        if world.ports.look(who.name, "write") == "intrude":
            self._intruded = True
            give_way(lambda: self._intrude(who, others[int(world.random.random() * len(others))]))
            self._intruded = False

    def _intrude(self, who: Participant, other: Participant) -> None:
        """Another ShopManager acts on the very Clerks that this one has read and not written yet."""
        world = self._world
        in_hand = world.watch.shoulder(who.name).in_hand
        known = sorted(world.clerks)
        if in_hand and world.random.random() < 0.6:  # the same replies have reached the other one, too
            for queue, key, body in world.timetable.copies(in_hand):
                world.broker.put(queue, body, key)
            world.run(other, "intrudes with the same replies", lambda: other.worker.round(0))
        elif known:
            clerk = in_hand[0].clerk if in_hand and in_hand[0].clerk in known else known[0]
            world.run(other, "intrudes with a cancel", lambda: _cancels(other, clerk or ""))

    def sends(self, bodies: Sequence[bytes]) -> None:
        if self._world.acting:
            self._world.watch.sends(self._world.acting.name, bodies)

    def about_to_commit(self) -> None:
        if self._world.acting:
            self._world.watch.about_to_commit(self._world.acting.name)
            self._world.ports.reached(self._world.acting.name, "commit")

    def has_committed(self, service: str) -> None:
        world = self._world
        world.timetable.look_again(service)
        if world.acting is None:
            return
        world.watch.committed(world.acting.name)
        if service == SHOP_MANAGER:
            self._people_look()
        elif service == "fulfillment" and world.scenario.warehouse == "by_hand":
            world.warehouse.looks()
        if world.ports.look(world.acting.name, "committed") == "crash":
            world.watch.rare["commit unknown"] += 1
            raise Crash(f"{world.acting.name} at committed")

    def _people_look(self) -> None:
        """Customers look at their sessions, and an operator at what is stuck."""
        for clerk, step, waiting, status, stuck_since, version in self._world.stores.peek(SHOP_MANAGER, LIVE):
            self._world.operator.sees(clerk, stuck_since, version)
            buyer, sight = self._world.clerks.get(clerk), (step, waiting, status)
            if buyer and status == "running" and self._sight.get(clerk) != sight:
                self._sight[clerk] = sight
                buyer.sees(step or "", waiting or "")


def _cancels(other: Participant, clerk: str) -> None:
    if other.manager:
        other.manager.wish(clerk, Cancelled())
