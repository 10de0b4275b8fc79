"""The simulated world: whose turn it is, what time it is, and what goes wrong. One scenario is one world.

One loop picks, from everything that could happen now, what happens next; when nothing can, time goes on to the next
moment at which something can. When there is no such moment, the shop is quiet.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from functools import partial
from itertools import count
from random import Random
from typing import Any

from domain.messages import SHOP_MANAGER, Command, Message
from domain.times import days, minutes
from messaging.database import Tx
from messaging.worker import Handler, LostRace
from payment_service.provider import Answer
from simulation.bad_messages import KILLER, bytes_of, message_of
from simulation.broker import SimulatedBroker
from simulation.chance import Chance
from simulation.clock import BEGINNING
from simulation.operators import Operator
from simulation.participants import Participant, build
from simulation.people import Buyer, Warehouse
from simulation.ports import Crash, Plan, Ports
from simulation.post import Post
from simulation.provider import SimulatedProvider
from simulation.scenario import Bad, Scenario
from simulation.setting import ENDED, Choice, Timetable, surroundings
from simulation.stores import Stores
from simulation.trace import Trace
from simulation.watch import Broken, Watch
from simulation.watchman import Watchman

BOUND_MS = days(45)
"""By then everything must be over: an invoice that is not paid takes 16 days."""
MOST_ACTS = 6_000
AFTERWARDS_MS = minutes(5)
"""Long enough for whatever was forgotten to count as overdue."""
HEARTBEAT_MS = 900


class World:
    """Everything of one scenario. It is the provider's `Outside`."""

    def __init__(self, scenario: Scenario, seed: int, plan: Plan, stores: Stores, trace: Trace) -> None:
        self.scenario = scenario
        self.chance = Chance(seed)
        self.random = Random(seed)  # noqa: S311  repeatable accidents, not secrets
        self.stores = stores
        self.clock = stores.clock
        self.ports = Ports(plan)
        self.trace = trace
        self.watch = Watch()
        self.clerks: dict[str, Buyer] = {}
        self.facts: list[tuple[str, str, Any]] = []
        self.acts = 0
        self.acting: Participant | None = None
        self.broker = SimulatedBroker(self.clock, Post(self))
        self.participants: dict[str, Participant] = {}
        self.timetable = Timetable(stores, self.participants)
        self._later: list[tuple[int, int, str, Callable[[], None]]] = []
        self._numbers = count()
        self._muted: dict[str, int] = {}
        self.warehouse = Warehouse(self, scenario.ships_after)
        self.operator = Operator(self, scenario.operator)
        self._around = surroundings(
            scenario, self.broker, stores, self.wrap, SimulatedProvider(stores.plain["payment"], self)
        )

    # --- the beginning and the end -----------------------------------------------------------------------------------

    def play(self) -> None:
        """Until it is quiet. Broken when an invariant does not hold in the act."""
        self.stores.guard = Watchman(self)
        names = [f"{SHOP_MANAGER}-{number + 1}" for number in range(self.scenario.managers)]
        for name in [*names, "shop", "risk", "payment", "fulfillment"]:
            self._starts(name)
        for number, order in enumerate(self.scenario.orders):
            self.later(order.opens_after, f"customer {number} comes", Buyer(self, number, order).opens)
        for bad in self.scenario.bad:
            self.later(bad.after, f"a bad message: {bad.kind}", partial(self._arrives, bad))
        while self._goes_on():
            self.acts += 1
            if self.acts > MOST_ACTS * len(self.scenario.orders) or self.clock.now > BEGINNING + BOUND_MS:
                raise Broken("quiet", f"not quiet after {self.acts} acts and {(self.clock.now - BEGINNING) // 1000} s")
        self._advance(self.clock.now + AFTERWARDS_MS)

    def _arrives(self, bad: Bad) -> None:
        queue, key, body = bytes_of(bad)
        self.watch.excused.add(message_of(bad).id)
        self.broker.put(queue, body, key)

    def _goes_on(self) -> bool:
        """The next act, if there is any."""
        choices = self._choices()
        later = self._later[0][0] if self._later else None
        if later is None and not choices:
            return False
        soonest = min([choice[0] for choice in choices] + ([] if later is None else [later]))
        if soonest > self.clock.now:
            self._advance(soonest)
        now = self.clock.now
        ready = [choice for choice in choices if choice[0] <= now]
        others = int(later is not None and later <= now)
        chosen = int(self.random.random() * (others + len(ready))) - others
        if chosen < 0:
            self._next_of_later()
        else:
            self._acts(*ready[chosen][1:])
        self.clock.now += int(self.random.random() * 3)
        return True

    def _acts(self, who: Participant, what: str, act: Callable[[Participant], object]) -> None:
        if what == "round" and self.ports.look(who.name, "round") == "pause":
            self._pauses(who)
        else:
            self.run(who, what, lambda: act(who))

    def _choices(self) -> list[Choice]:
        choices: list[Choice] = []
        for who in self.participants.values():
            if who.alive:
                found = self.timetable.of(who, self.broker)
                if who.paused_until > self.clock.now:
                    found = [(max(at, who.paused_until), who, what, act) for at, _, what, act in found]
                choices += found
        return choices

    def _next_of_later(self) -> None:
        _, _, what, act = heapq.heappop(self._later)
        self.trace.note(self.clock.now, "-", what)
        act()

    def _advance(self, to: int) -> None:
        """Time passes in which only ticks find nothing to do; what those leave behind is ShopManager's heartbeat."""
        beating = any(
            who.manager and who.alive and who.link.connected and who.paused_until <= self.clock.now
            for who in self.participants.values()
        )
        if beating and to - self.clock.now > HEARTBEAT_MS:
            self.stores.peek(SHOP_MANAGER, "UPDATE heartbeat SET last_at = ?", to - HEARTBEAT_MS // 2)
        self.clock.now = to

    # --- participants ------------------------------------------------------------------------------------------------

    def _starts(self, name: str) -> None:
        self.trace.note(self.clock.now, name, "starts")
        self.acting = None
        who = self.participants[name] = build(name, self._around)
        self.timetable.has_acted(who.service)
        who.link.on_cut = lambda: self._is_cut_off(who)
        who.next_tick = who.next_relay = self.clock.now + self.pause(f"phase/{name}", 0, 250)
        if who.calls:
            self.run(who, "takes up what is left", partial(who.calls.hand_over_due, everything=True))

    def run(self, who: Participant, what: str, act: Callable[[], Any]) -> bool:
        """The participant acts; False when it did not survive, or was refused by a race."""
        before, self.acting = self.acting, who
        self.trace.note(self.clock.now, who.name, what)
        try:
            act()
        except Crash as crash:
            self._crashed(who, str(crash))
            return False
        except LostRace:
            return False
        finally:
            self.acting = before
            self.timetable.has_acted(who.service)
        return True

    def _crashed(self, who: Participant, how: str) -> None:
        self.trace.note(self.clock.now, who.name, f"dies: {how}")
        self.watch.gone(who.name)
        who.alive = False
        self.timetable.has_acted(who.service)
        who.link.close()
        wait = self.pause(f"down/{who.name}/{self.acts}", 10, 5_000)
        if self.chance.of(f"down long/{who.name}/{self.acts}") < 0.15:
            wait += 90_000
        self.later(wait, f"{who.name} is started again", lambda: self._starts(who.name))

    def _is_cut_off(self, who: Participant) -> None:
        self.trace.note(self.clock.now, who.name, "is cut off from the broker")
        wait = self.pause(f"cut off/{who.name}/{self.acts}", 50, 6_000)
        self.later(wait, f"{who.name} connects again", lambda: who.link.start() if who.alive else None)

    def _pauses(self, who: Participant) -> None:
        self.trace.note(self.clock.now, who.name, "stands still")
        who.paused_until = self.clock.now + self.pause(f"still/{who.name}/{self.acts}", 100, 100_000)

    def mute(self, step: str) -> None:
        """The service that does this step stops for longer than any step before the pivot may take."""
        service = self.timetable.service_of(step)
        if service not in self._muted:
            self._muted[service] = self.clock.now
            self.participants[service].paused_until = self.clock.now + 100_000

    def wrap(self, name: str, handle: Handler) -> Handler:
        def watched(tx: Tx, messages: Sequence[Message]) -> list[Message]:
            if any(message.id.startswith(KILLER) for message in messages) and not name.startswith(SHOP_MANAGER):
                raise Crash(f"{name} at a message that kills")
            self.watch.handling(name, messages)
            try:
                outgoing = handle(tx, messages)
            except LostRace:
                self.watch.loses_race()
                raise
            self.watch.decides(name, outgoing)
            if any(isinstance(message, Command) and message.direction == "undo" for message in messages):
                self.ports.reached(name, "undo")
            return outgoing

        return watched

    # --- people ------------------------------------------------------------------------------------------------------

    def visit(self, service: str, what: str, act: Callable[[Participant], Any], told: Callable[[Any], None]) -> None:
        """Somebody acts at a door of the service; when the answer does not come, the same again."""
        open_doors = [who for who in self.participants.values() if who.service == service and who.alive]
        answers: list[Any] = []

        def goes_in(who: Participant) -> None:
            answer = act(who)
            self.ports.reached(who.name, "answered")
            answers.append(answer)

        if open_doors:
            who = open_doors[int(self.random.random() * len(open_doors))]
            self.run(who, f"door: {what}", lambda: goes_in(who))
        if answers:
            told(answers[0])
        else:
            least = 300 if open_doors else 3_000
            wait = self.pause(f"again/{what}/{self.acts}", least, 5 * least)
            self.later(wait, f"again: {what}", lambda: self.visit(service, what, act, told))

    def told(self, what: str, clerk: str, detail: Any) -> None:
        """Somebody has been told so, with a 2xx; it had better be true (I13)."""
        self.facts.append((what, clerk, detail))

    def is_over(self, clerk: str) -> bool:
        rows = self.stores.peek(SHOP_MANAGER, "SELECT status FROM clerks WHERE id = ?", clerk)
        return bool(rows) and rows[0][0] in ENDED

    def has_cart(self, clerk: str) -> bool:
        return bool(self.stores.peek("shop", "SELECT 1 FROM carts WHERE session = ?", clerk))

    def later(self, delay: int, what: str, act: Callable[[], None]) -> None:
        heapq.heappush(self._later, (self.clock.now + delay, next(self._numbers), what, act))

    def pause(self, about: str, least: int, most: int) -> int:
        return self.chance.between(about, least, most)

    # --- the outside of payment --------------------------------------------------------------------------------------

    def submitting(self, port: str) -> None:
        self.ports.reached("payment", port)

    def outer_fault(self) -> str | None:
        return self.ports.look("provider", "provider")

    def notices(self, answer: Answer) -> None:
        """As its door does, once the signature was found to be genuine."""

        def take_in(payment: Participant) -> bool:
            if payment.calls:
                payment.calls.take_in([answer], event=f"evt/{answer.key}")
            return True

        self.visit("payment", "notice", take_in, lambda _: None)
