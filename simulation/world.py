"""The simulated world: whose turn it is, what time it is, and what goes wrong. One scenario is one world.

One loop picks, from everything that could happen now, what happens next; when nothing can, time goes on to the next
moment at which something can. When there is no such moment, the shop is quiet.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from itertools import count
from random import Random
from typing import Any

from domain.messages import SHOP_MANAGER, Message
from domain.times import days, minutes
from messaging.broker import Delivery, commands_queue
from messaging.database import Tx
from messaging.worker import Handler, LostRace
from payment_service.provider import Answer
from shop_manager.happenings import Cancelled
from simulation.bad_messages import KILLER, bytes_of, message_of
from simulation.broker import SimulatedBroker
from simulation.chance import Chance
from simulation.clock import BEGINNING
from simulation.participants import Participant, build
from simulation.people import Buyer, Warehouse
from simulation.ports import Crash, Plan, Ports
from simulation.provider import Done, SimulatedProvider
from simulation.scenario import Bad, Scenario
from simulation.setting import ENDED, Timetable, surroundings
from simulation.stores import Stores
from simulation.trace import Trace
from simulation.travel import edited
from simulation.watch import Broken, Watch

BOUND_MS = days(45)
"""By then everything must be over: an invoice that is not paid takes 16 days."""
MOST_ACTS = 6_000
AFTERWARDS_MS = minutes(5)
"""Long enough for whatever was forgotten to count as overdue."""
HEARTBEAT_MS = 900


class World:
    """Everything of one scenario. It is `Guard` to the stores, `Carrier` to the broker, `Outside` to the provider."""

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
        self.broker = SimulatedBroker(self.clock, self)
        self.participants: dict[str, Participant] = {}
        self.timetable = Timetable(stores, self.participants)
        self._later: list[tuple[int, int, str, Callable[[], None]]] = []
        self._numbers = count()
        self._sight: dict[str, tuple[str, str, str]] = {}
        self._muted: dict[str, int] = {}
        self._intruded = False
        self._warehouse = Warehouse(self, scenario.ships_after)
        self._around = surroundings(scenario, self.broker, stores, self.wrap, SimulatedProvider(stores.plain["payment"], self))

    # --- the beginning and the end -----------------------------------------------------------------------------------

    def play(self) -> None:
        """Until it is quiet. Broken when an invariant does not hold in the act."""
        self.stores.guard = self
        names = [f"{SHOP_MANAGER}-{number + 1}" for number in range(self.scenario.managers)]
        for name in [*names, "shop", "risk", "payment", "fulfillment"]:
            self._starts(name)
        for number, order in enumerate(self.scenario.orders):
            self.later(order.opens_after, f"customer {number} comes", Buyer(self, number, order).opens)
        for bad in self.scenario.bad:
            self.later(bad.after, f"a bad message: {bad.kind}", lambda it=bad: self._arrives(it))  # type: ignore[misc]  # mypy cannot infer a lambda with a default
        while self._goes_on():
            self.acts += 1
            if self.acts > MOST_ACTS * len(self.scenario.orders) or self.clock.now > BEGINNING + BOUND_MS:
                raise Broken("quiet", f"not quiet after {self.acts} acts and {(self.clock.now - BEGINNING) // 1000} s")
        self._advance(self.clock.now + AFTERWARDS_MS)

    def _goes_on(self) -> bool:
        """The next act, if there is any."""
        choices = self._choices()
        if not choices:
            return False
        now = self.clock.now
        ready = [choice for choice in choices if choice[0] <= now]
        if not ready:
            self._advance(min(choice[0] for choice in choices))
            return True
        _, who, what, act = ready[int(self.random.random() * len(ready))]
        if who is None:
            act()
        elif what == "round" and self.ports.look(who.name, "round") == "pause":
            self._pauses(who)
        else:
            self.run(who, what, act)
        self.clock.now += int(self.random.random() * 3)
        return True

    def _choices(self) -> list[Choice]:
        choices: list[Choice] = []
        if self._later:
            choices.append((self._later[0][0], None, "", self._next_of_later))
        for who in self.participants.values():
            if who.alive:
                found = self.timetable.of(who, self.broker)
                if who.paused_until > self.clock.now:
                    found = [(max(at, who.paused_until), *rest) for at, *rest in found]
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
        who.link.on_cut = lambda: self._is_cut_off(who)
        who.next_tick = who.next_relay = self.clock.now + self.pause(f"phase/{name}", 0, 250)
        if who.calls:
            self.run(who, "takes up what is left", lambda: who.calls and who.calls.hand_over_due(everything=True))

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
        return True

    def _crashed(self, who: Participant, how: str) -> None:
        self.trace.note(self.clock.now, who.name, f"dies: {how}")
        self.watch.gone(who.name)
        who.alive = False
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
            outgoing = handle(tx, messages)
            self.watch.decides(name, outgoing)
            return outgoing

        return watched

    # --- people ------------------------------------------------------------------------------------------------------

    def visit(self, service: str, what: str, act: Callable[[Participant], Any], told: Callable[[Any], None]) -> None:
        """Somebody acts at a door of the service; when the answer does not come, the same again."""
        open_doors = [who for who in self.participants.values() if who.service == service and who.alive]
        answers: list[Any] = []

        def goes_in(who: Participant) -> None:
            answer = act(who)
            self.reached(who.name, "answered")
            answers.append(answer)

        if open_doors:
            who = open_doors[int(self.random.random() * len(open_doors))]
            self.run(who, f"door: {what}", lambda: goes_in(who))
        if answers:
            told(answers[0])
        else:
            wait = self.pause(f"again/{what}/{self.acts}", 300, 1_500)
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

    # --- the guard of the stores -------------------------------------------------------------------------------------

    def begins(self, service: str) -> None:
        if self.acting:
            self.reached(self.acting.name, "begin")

    def about_to_write_clerks(self, give_way: Callable[[Callable[[], None]], None]) -> None:
        who = self.acting
        others = [each for each in self.participants.values() if each.manager and each.alive and each is not who]
        if who is None or not others or self._intruded:
            return
        if self.ports.look(who.name, "write") == "intrude":
            self._intruded = True
            give_way(lambda: self._intrude(who, others[int(self.random.random() * len(others))]))
            self._intruded = False

    def _intrude(self, who: Participant, other: Participant) -> None:
        """Another ShopManager acts on the very Clerks that this one has read and not written yet."""
        in_hand = self.watch.shoulder(who.name).in_hand
        known = sorted(self.clerks)
        if in_hand and self.random.random() < 0.6:  # the same replies have reached the other one, too
            for queue, key, body in self.timetable.copies(in_hand):
                self.broker.put(queue, body, key)
            self.run(other, "intrudes with the same replies", lambda: other.worker.round(0))
        elif known:
            clerk = in_hand[0].clerk if in_hand and in_hand[0].clerk in known else known[0]
            self.run(other, "intrudes with a cancel", lambda: other.manager and other.manager.wish(clerk or "", Cancelled()))

    def sends(self, bodies: Sequence[bytes]) -> None:
        if self.acting:
            self.watch.sends(self.acting.name, bodies)

    def about_to_commit(self) -> None:
        if self.acting:
            self.watch.about_to_commit(self.acting.name)
            self.reached(self.acting.name, "commit")

    def has_committed(self, service: str) -> None:
        self.timetable.look_again(service)
        if self.acting is None:
            return
        self.watch.committed(self.acting.name)
        if service == SHOP_MANAGER:
            self._look_at_clerks()
        elif service == "fulfillment" and self.scenario.warehouse == "by_hand":
            self._warehouse.looks()
        if self.ports.look(self.acting.name, "committed") == "crash":
            self.watch.rare["commit unknown"] += 1
            raise Crash(f"{self.acting.name} at committed")

    def _look_at_clerks(self) -> None:
        """Customers look at their sessions."""
        for clerk, step, waiting, status in self.stores.peek(
            SHOP_MANAGER, "SELECT id, step, waiting_for, status FROM clerks WHERE wake_at IS NOT NULL ORDER BY id"
        ):
            buyer, sight = self.clerks.get(clerk), (step, waiting, status)
            if buyer and status == "running" and self._sight.get(clerk) != sight:
                self._sight[clerk] = sight
                buyer.sees(step or "", waiting or "")

    # --- the carrier of the broker -----------------------------------------------------------------------------------

    def travels(self, queue: str, body: bytes) -> Sequence[tuple[int, bytes]]:
        fault = self.ports.look(queue, "message")
        number = next(self._numbers)
        first = self.pause(f"{queue}/{number}", 1, 15)
        if fault == "lose" and b'"kind":"notice"' not in body:  # nobody asks for a notice again: `clerk repair` does
            return []
        if fault == "double":
            return [(first, body), (self.pause(f"{queue}/{number}/again", 1, 30_000), body)]
        if fault == "late":
            return [(self.pause(f"{queue}/{number}/late", 1_000, 30_000), body)]
        if fault == "hour_late":
            return [(3_600_000, body)]
        return [(first, edited(body) if fault == "foreign_edit" else body)]

    def reached(self, who: str, port: str) -> str | None:
        return self.ports.reached(who, port)

    def taken(self, link: str, deliveries: Sequence[Delivery]) -> None:
        self.watch.taken(link, deliveries)

    def acknowledged(self, link: str, deliveries: Sequence[Delivery]) -> None:
        self.watch.acknowledged(link, deliveries)

    def _arrives(self, bad: Bad) -> None:
        queue, key, body = bytes_of(bad)
        self.watch.excused.add(message_of(bad).id)
        self.broker.put(queue, body, key)

    # --- the outside of payment --------------------------------------------------------------------------------------

    def outer_fault(self, about: str) -> str | None:
        return self.ports.look("provider", "provider")

    def answers(self, done: Done, answer: Answer) -> None:
        done([answer])

    def notices(self, answer: Answer) -> None:
        """As its door does, once the signature was found to be genuine."""
        event = f"evt/{answer.key}"
        self.visit("payment", "notice", lambda p: p.calls and p.calls.take_in([answer], event=event) or True, lambda _: None)

    def queue_of(self, service: str) -> str:
        return commands_queue(service)
