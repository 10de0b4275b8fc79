"""Runs the participants of a simulated shop: starts them, lets them act, crashes them, and calls them as clients do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from domain.messages import SHOP_MANAGER, Command, Message
from messaging.database import Tx
from messaging.database_errors import ConcurrencyError
from messaging.worker import BatchHandler
from payment_service.provider import ProviderAnswer
from simulation.bad_messages import POISON_CLERK
from simulation.broker import SimulatedBroker
from simulation.due_work import DueWork
from simulation.injection_points import Crash
from simulation.message_carrier import FaultyCarrier
from simulation.participants import SimulatedParticipant, build
from simulation.provider import SimulatedProvider
from simulation.run_context import RunContext
from simulation.scenario_setup import dependencies


class Runtime:
    """All participants of one run, and the broker between them. It is the provider's `ProviderHost`.

    `acting`: who is at work now, None between two acts.
    """

    def __init__(self, context: RunContext) -> None:
        self.context = context
        self.acting: SimulatedParticipant | None = None
        self.participants: dict[str, SimulatedParticipant] = {}
        self.broker = SimulatedBroker(context.clock, FaultyCarrier(context))
        self.due_work = DueWork(context.stores, self.participants)
        self._muted: set[str] = set()
        provider = SimulatedProvider(context.stores.plain["payment"], self)
        self._dependencies = dependencies(context.scenario, self.broker, context.stores, self._wrap, provider)

    # --- their lives -------------------------------------------------------------------------------------------------

    def start(self, name: str) -> None:
        context = self.context
        context.trace.note(context.clock.now, name, "starts", in_chart=True)
        self.acting = None
        participant = self.participants[name] = build(name, self._dependencies)
        self.due_work.has_acted(participant.service)
        participant.transport.on_cut = lambda: self._connection_lost(participant)
        next_tick = context.clock.now + context.pause(f"phase/{name}", 0, 250)
        participant.next_tick = participant.next_relay = next_tick
        gateway = participant.provider_gateway
        if gateway:
            self.run(participant, "takes up what is left", partial(gateway.hand_over_due, everything=True))

    def run(
        self, participant: SimulatedParticipant, what: str, act: Callable[[], Any], *, in_chart: bool = False
    ) -> bool:
        """Let it act. False when it crashed, or lost a race against a concurrent writer."""
        before, self.acting = self.acting, participant
        self.context.trace.note(self.context.clock.now, participant.name, what, in_chart=in_chart)
        try:
            act()
        except Crash as crash:
            self._crashed(participant, str(crash))
            return False
        except ConcurrencyError:
            return False
        finally:
            self.acting = before
            self.due_work.has_acted(participant.service)
        return True

    def _crashed(self, participant: SimulatedParticipant, how: str) -> None:
        context, name = self.context, participant.name
        context.trace.note(context.clock.now, name, f"dies: {how}", in_chart=True)
        context.monitor.crashed(name)
        participant.alive = False
        self.due_work.has_acted(participant.service)
        participant.transport.close()
        wait = context.pause(f"down/{name}/{context.acts}", 10, 5_000)
        if context.rng.of(f"down long/{name}/{context.acts}") < 0.15:
            wait += 90_000
        context.later(wait, f"{name} is started again", lambda: self.start(name))

    def _connection_lost(self, participant: SimulatedParticipant) -> None:
        context, name = self.context, participant.name
        context.trace.note(context.clock.now, name, "is cut off from the broker", in_chart=True)
        wait = context.pause(f"cut off/{name}/{context.acts}", 50, 6_000)
        context.later(
            wait,
            f"{name} connects again",
            lambda: participant.transport.start() if participant.alive else None,
            in_chart=True,
        )

    def pause_participant(self, participant: SimulatedParticipant) -> None:
        """It stands still for up to 100 s, as a process that gets no processor time."""
        context, name = self.context, participant.name
        context.trace.note(context.clock.now, name, "stands still", in_chart=True)
        participant.paused_until = context.clock.now + context.pause(f"still/{name}/{context.acts}", 100, 100_000)

    def mute(self, step: str) -> None:
        """The service that does this step stops for longer than any step before the pivot may take. Once a service."""
        service = self.due_work.service_of(step)
        if service not in self._muted:
            self._muted.add(service)
            self.participants[service].paused_until = self.context.clock.now + 100_000

    def _wrap(self, name: str, handle: BatchHandler) -> BatchHandler:
        """The participant's handler, observed by the monitor, with the injection point `undo` at its end."""
        context = self.context

        def observed(tx: Tx, messages: Sequence[Message]) -> list[Message]:
            if any(message.id.startswith(POISON_CLERK) for message in messages) and not name.startswith(SHOP_MANAGER):
                raise Crash(f"{name} at a message that kills")
            context.monitor.handling(name, messages)
            try:
                outgoing = handle(tx, messages)
            except ConcurrencyError:
                context.monitor.lost_race()
                raise
            context.monitor.decided(name, outgoing)
            if any(isinstance(message, Command) and message.direction == "undo" for message in messages):
                context.points.reached(name, "undo")
            return outgoing

        return observed

    # --- their clients -----------------------------------------------------------------------------------------------

    def call(
        self, service: str, what: str, act: Callable[[SimulatedParticipant], Any], on_answer: Callable[[Any], None]
    ) -> None:
        """A client calls some instance of the service; when no answer comes, it does the same again later."""
        context = self.context
        instances = [each for each in self.participants.values() if each.service == service and each.alive]
        answers: list[Any] = []

        def request(participant: SimulatedParticipant) -> None:
            answer = act(participant)
            context.points.reached(participant.name, "answered")
            answers.append(answer)

        if instances:
            chosen = instances[context.draw_index(len(instances))]
            self.run(chosen, f"door: {what}", lambda: request(chosen), in_chart=True)
        if answers:
            on_answer(answers[0])
        else:
            least = 300 if instances else 3_000
            wait = context.pause(f"again/{what}/{context.acts}", least, 5 * least)
            context.later(wait, f"again: {what}", lambda: self.call(service, what, act, on_answer))

    # --- the payment provider's side of payment ----------------------------------------------------------------------

    def submitting(self, point: str) -> None:
        self.context.points.reached("payment", point)

    def provider_fault(self) -> str | None:
        return self.context.points.look("provider", "provider")

    def pause(self, occasion: str, least: int, most: int) -> int:
        return self.context.pause(occasion, least, most)

    def later(self, delay: int, what: str, act: Callable[[], None]) -> None:
        self.context.later(delay, what, act, in_chart=True)

    def send_webhook(self, answer: ProviderAnswer) -> None:
        """Call payment as its webhook route does after it has verified the signature."""

        def take_in(payment: SimulatedParticipant) -> bool:
            if payment.provider_gateway:
                payment.provider_gateway.take_in([answer], event=f"evt/{answer.key}")
            return True

        self.call("payment", "notice", take_in, lambda _: None)
