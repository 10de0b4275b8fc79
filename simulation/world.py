"""The loop of a simulated run: it picks who acts next, and moves time forward when nobody can act.

When nobody can act and nothing is to happen later, the shop is quiet and the run is over.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from domain.messages import SHOP_MANAGER
from domain.times import days, minutes
from simulation.bad_messages import bytes_of, message_of, sender_of
from simulation.clock import BEGINNING
from simulation.due_work import Candidate
from simulation.fault_hooks import FaultHooks
from simulation.monitor import InvariantBroken
from simulation.participants import SimulatedParticipant
from simulation.people import SimulatedCustomer, SimulatedPeople
from simulation.run_context import RunContext
from simulation.runtime import Runtime
from simulation.scenario import BadMessage

BOUND_MS = days(45)
"""By then everything must be over: an invoice that is not paid takes 16 days."""
MAX_ACTS = 6_000
"""For each order of the scenario."""
AFTERWARDS_MS = minutes(5)
"""So much time passes at the end: long enough for whatever was forgotten to count as overdue."""
HEARTBEAT_MS = 900


class World:
    """Everything of one run, put together."""

    def __init__(self, context: RunContext) -> None:
        self.context = context
        self.runtime = Runtime(context)
        self.people = SimulatedPeople(self.runtime)

    def run_until_quiet(self) -> None:
        """Raises InvariantBroken when an invariant is broken on the way, or when the shop does not become quiet."""
        context, scenario = self.context, self.context.scenario
        context.stores.hooks = FaultHooks(self.runtime, self.people)
        managers = [f"{SHOP_MANAGER}-{number + 1}" for number in range(scenario.managers)]
        for name in [*managers, "shop", "risk", "payment", "fulfillment"]:
            self.runtime.start(name)
        for number, order in enumerate(scenario.orders):
            customer = SimulatedCustomer(self.runtime, number, order, self.people.customers)
            context.later(order.opens_after, f"customer {number} comes", customer.opens)
        for bad in scenario.bad:
            context.later(bad.after, f"a bad message: {bad.kind}", partial(self._put, bad), in_chart=True)
        while self._step():
            context.acts += 1
            elapsed = context.clock.now - BEGINNING
            if context.acts > MAX_ACTS * len(scenario.orders) or elapsed > BOUND_MS:
                raise InvariantBroken("quiet", f"not quiet after {context.acts} acts and {elapsed // 1000} s")
        self._advance(context.clock.now + AFTERWARDS_MS)

    def _put(self, bad: BadMessage) -> None:
        queue, key, body = bytes_of(bad)
        self.context.monitor.excused.add(message_of(bad).id)
        self.runtime.broker.put(queue, body, key, sender_of(bad))

    def _step(self) -> bool:
        """Let one act happen; False when there is none left."""
        context = self.context
        choices = self._choices()
        later = context.next_later()
        if later is None and not choices:
            return False
        soonest = min([choice[0] for choice in choices] + ([] if later is None else [later]))
        if soonest > context.clock.now:
            self._advance(soonest)
        now = context.clock.now
        ready = [choice for choice in choices if choice[0] <= now]
        others = int(later is not None and later <= now)
        chosen = context.draw_index(others + len(ready)) - others
        if chosen < 0:
            context.do_next_later()
        else:
            self._act(*ready[chosen][1:])
        context.clock.now += context.draw_index(3)
        return True

    def _act(self, participant: SimulatedParticipant, what: str, act: Callable[[SimulatedParticipant], object]) -> None:
        if what == "round" and self.context.points.look(participant.name, "round") == "pause":
            self.runtime.pause_participant(participant)
        else:
            self.runtime.run(participant, what, lambda: act(participant))

    def _choices(self) -> list[Candidate]:
        choices: list[Candidate] = []
        for participant in self.runtime.participants.values():
            if participant.alive:
                found = self.runtime.due_work.choices(participant, self.runtime.broker)
                paused_until = participant.paused_until
                if paused_until > self.context.clock.now:
                    found = [(max(at, paused_until), each, what, act) for at, each, what, act in found]
                choices += found
        return choices

    def _advance(self, to: int) -> None:
        """Move time forward. ShopManager's ticks in between find nothing to do, but leave heartbeats: so does this."""
        now = self.context.clock.now
        beating = any(
            each.manager and each.alive and each.transport.connected and each.paused_until <= now
            for each in self.runtime.participants.values()
        )
        if beating and to - now > HEARTBEAT_MS:
            self.context.stores.peek(SHOP_MANAGER, "UPDATE heartbeat SET last_at = ?", to - HEARTBEAT_MS // 2)
        self.context.clock.now = to
