"""Fault hooks in the transactions of participants: crash, lost commit answer, concurrent writer."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from shop_manager.saga.happenings import Cancelled
from simulation.injection_points import Crash
from simulation.participants import SimulatedParticipant
from simulation.people import SimulatedPeople
from simulation.runtime import Runtime


class FaultHooks:
    """The `TransactionHooks` of one run. After each commit it also lets people look at what is new."""

    def __init__(self, runtime: Runtime, people: SimulatedPeople) -> None:
        self._runtime = runtime
        self._context = runtime.context
        self._people = people
        self._interfering = False

    def begins(self, service: str) -> None:
        if self._runtime.acting:
            self._context.points.reached(self._runtime.acting.name, "begin")

    def about_to_write_clerks(self, give_way: Callable[[Callable[[], None]], None]) -> None:
        """Another ShopManager may write the same Clerks between this one's read and its write (T3)."""
        participant, participants = self._runtime.acting, self._runtime.participants
        others = [each for each in participants.values() if each.manager and each.alive and each is not participant]
        if participant is None or not others or self._interfering:
            return
        if self._context.points.look(participant.name, "write") == "intrude":
            self._interfering = True
            give_way(lambda: self._write_concurrently(participant, others[self._context.draw_index(len(others))]))
            self._interfering = False

    def _write_concurrently(self, participant: SimulatedParticipant, other: SimulatedParticipant) -> None:
        """Let the other ShopManager act on the Clerks that `participant` has read and not written yet."""
        runtime, context = self._runtime, self._context
        in_hand = context.monitor.in_hand(participant.name)
        known = sorted(self._people.customers)
        if in_hand and context.sequence.random() < 0.6:  # the same replies have reached the other one, too
            for copy in runtime.due_work.copies(in_hand):
                runtime.broker.put(*copy)
            runtime.run(other, "intrudes with the same replies", lambda: other.worker.round(0), in_chart=True)
        elif known:
            clerk = in_hand[0].clerk if in_hand and in_hand[0].clerk in known else known[0]
            runtime.run(other, "intrudes with a cancel", lambda: _cancel(other, clerk or ""), in_chart=True)

    def sends(self, bodies: Sequence[bytes]) -> None:
        if self._runtime.acting:
            self._context.monitor.sends(self._runtime.acting.name, bodies)

    def about_to_commit(self) -> None:
        if self._runtime.acting:
            self._context.monitor.about_to_commit(self._runtime.acting.name)
            self._context.points.reached(self._runtime.acting.name, "commit")

    def has_committed(self, service: str) -> None:
        """The process ends here when the answer to its commit is lost: it has committed, and does not know it."""
        self._runtime.due_work.look_again(service)
        participant = self._runtime.acting
        if participant is None:
            return
        self._context.monitor.committed(participant.name)
        self._people.look(service)
        if self._context.points.look(participant.name, "committed") == "crash":
            self._context.monitor.rare["commit unknown"] += 1
            raise Crash(f"{participant.name} at committed")


def _cancel(manager: SimulatedParticipant, clerk: str) -> None:
    if manager.manager:
        manager.manager.execute(clerk, Cancelled())
