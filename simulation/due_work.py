"""What each participant of a simulated run could do next, and from which moment on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from domain.messages import SHOP_MANAGER, Message, Reply
from domain.times import seconds
from messaging.broker import REPLIES_QUEUE
from messaging.envelope import destination_and_topic, encode
from messaging.outbox import RELAY_AFTER_MS
from simulation.broker import SimulatedBroker
from simulation.clock import BEGINNING
from simulation.participants import PROCESSES, SimulatedParticipant
from simulation.scenario_setup import AUTO_AFTER
from simulation.stores import Stores

TICK_MS = 250
RELAY_MS = 1_000
TIDY_MS = 10_000
"""ms between relays that only delete sent rows."""
Candidate = tuple[int, SimulatedParticipant, str, Callable[[SimulatedParticipant], object]]
"""(moment in ms, participant, what, act): something that a participant could do from that moment on."""
NEXT_TICK = {
    SHOP_MANAGER: "SELECT min(wake_at) FROM clerks",
    "shop": "SELECT min(report_due) FROM carts",
    "payment": """SELECT min(due) FROM (
        SELECT next_try_at AS due FROM provider_calls UNION ALL
        SELECT asked_at + 1000 FROM provider_calls JOIN turns ON turns.clerk = provider_calls.clerk
        WHERE next_try_at IS NOT NULL AND kind IN ('authorize', 'charge')
        AND turns.state = 'waiting' AND turns.answer NOT LIKE '%authorizing%')""",
    "fulfillment": "SELECT min(asked_at) FROM shipments WHERE status = 'requested'",
}
"""By service: the moment at which its ticker finds something to do. Payment reports a call after a second."""


class DueWork:
    """Moments that stand in the database are kept, and read again only after a commit."""

    def __init__(self, stores: Stores, participants: Mapping[str, SimulatedParticipant]) -> None:
        self._stores = stores
        self._participants = participants
        self._ticks: dict[str, int | None] = {}
        self._unsent: dict[str, list[tuple[int, int]]] = {}
        self._relays: dict[str, int | None] = {}

    def look_again(self, service: str) -> None:
        """Something was committed there."""
        self._ticks.pop(service, None)
        self._unsent.pop(service, None)

    def has_acted(self, service: str) -> None:
        """An instance has acted, started or ended: what the service's instances know to be sent may be different."""
        for name in [name for name in self._relays if name.startswith(service)]:
            del self._relays[name]

    def choices(self, participant: SimulatedParticipant, broker: SimulatedBroker) -> list[Candidate]:
        """All that it could do next."""
        found: list[Candidate] = []
        transport, worker = participant.transport, participant.worker
        connected = transport.connected
        if connected:
            due = broker.next_due(transport.consumes or "")
            if due is not None:
                found.append((due, participant, "round", SimulatedParticipant.run_worker))
            name = participant.name
            relay = self._relays[name] if name in self._relays else self._relay_due(participant)
            if relay is not None:
                found.append((max(relay, participant.next_relay), participant, "relay", self._relay))
        if worker.held:
            held = BEGINNING + 1 + round(min(item.due for item in worker.held) * 1000)
            found.append((held, participant, "round", SimulatedParticipant.run_worker))
        if participant.provider_gateway and participant.has_provider_work():
            found.append((0, participant, "calls", SimulatedParticipant.run_provider_gateway))
        if participant.ticks and (connected or participant.manager is None):
            due = self._tick_due(participant.service)
            if due is not None:
                found.append((max(due, participant.next_tick), participant, "tick", self._tick))
        return found

    def _relay_due(self, participant: SimulatedParticipant) -> int | None:
        """When its relay has work: rows that no instance knows to be sent, and its own sent rows to delete."""
        found = self._relays[participant.name] = self._oldest_unsent(participant)
        return found

    def _oldest_unsent(self, participant: SimulatedParticipant) -> int | None:
        service = participant.service
        unsent = self._unsent.get(service)
        if unsent is None:
            rows = self._stores.peek(service, "SELECT number, written_at FROM outbox ORDER BY number")
            unsent = self._unsent[service] = [(number, at) for number, at in rows]
        if not unsent:
            return None
        mine = participant.confirmed()
        known = set(mine).union(
            *(each.confirmed() for each in self._participants.values() if each.alive and each.service == service)
        )
        left = [at for number, at in unsent if number not in known]
        tidy = [at + TIDY_MS for number, at in unsent if number in mine]
        return min([at + RELAY_AFTER_MS for at in left] + tidy, default=None)

    def _relay(self, participant: SimulatedParticipant) -> None:
        participant.next_relay = self._stores.clock.now + RELAY_MS
        participant.outbox.relay()

    def _tick(self, participant: SimulatedParticipant) -> None:
        participant.next_tick = self._stores.clock.now + TICK_MS
        for tick in participant.ticks:
            tick()
        participant.run_provider_gateway()

    def _tick_due(self, service: str) -> int | None:
        if service in self._ticks:
            return self._ticks[service]
        due: int | None
        [(due,)] = self._stores.peek(service, NEXT_TICK[service])
        if due is not None and service == "fulfillment":
            due += seconds(AUTO_AFTER)
        self._ticks[service] = due
        return due

    def service_of(self, step: str) -> str:
        """The service that does this step, in whichever process the step is."""
        return next(
            each.asks for process in PROCESSES.by_reference.values() for each in process.steps if each.name == step
        )

    def copies(self, messages: Sequence[Message]) -> list[tuple[str, bytes, str, str | None]]:
        """(queue, body, routing key, sender) of the same replies and notices once more."""
        return [
            (REPLIES_QUEUE, b"[" + encode(message) + b"]", destination_and_topic(message)[1], _sender(message))
            for message in messages
        ]


def _sender(message: Message) -> str | None:
    return message.sender if isinstance(message, Reply) else message.service
