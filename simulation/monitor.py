"""Observes every participant: what it handles, decides, sends, commits and acknowledges, and in which order.

Some rules (semantics M1, M2) have to be checked while the run goes on: when they are broken a resend repairs the damage
before the end. It also counts the rare events that must have happened.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import orjson

from domain.ids import message_id
from domain.messages import Message, Reply
from messaging.broker import Delivery

RARE_EVENTS = (
    "late reply",
    "undo before do",
    "duplicate after undo",
    "lost race",
    "commit unknown",
    "crash in an undo",
    "parked message",
    "stock exhausted",
    "report",
    "overtaken report",
    "operator's act",
)
"""What must have happened at least once in a thousand seeds (docs/design/faults.md)."""


class InvariantBroken(BaseException):
    """An invariant does not hold. A BaseException, so that production's own error handling does not catch it."""

    def __init__(self, invariant: str, what: str, clerk: str | None = None) -> None:
        super().__init__(f"{invariant}: {what}")
        self.invariant = invariant
        self.what = what
        self.clerk = clerk


@dataclass
class Observation:
    """What is known of one participant's current batch and deliveries.

    `decided`: ids of the messages that its handler returned; `bodies`: what was written to the outbox. `committed` (by
    message) and `taken` (by receipt): when, as a number that grows with each commit and each taking.
    """

    in_hand: list[Message] = field(default_factory=list)
    decided: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    committed: dict[str, int] = field(default_factory=dict)
    taken: dict[int, int] = field(default_factory=dict)

    def transaction_over(self) -> None:
        self.in_hand, self.decided, self.bodies = [], [], []


class Monitor:
    """`rare`: how often each rare event happened. `excused`: ids of bad messages, which are parked and not handled."""

    def __init__(self) -> None:
        self.rare: Counter[str] = Counter(dict.fromkeys(RARE_EVENTS, 0))
        self.excused: set[str] = set()
        self._observations: dict[str, Observation] = {}
        self._handled_ever: set[str] = set()
        self._count = 0

    def in_hand(self, participant: str) -> list[Message]:
        """The messages that it is handling now."""
        return self._of(participant).in_hand

    def _of(self, participant: str) -> Observation:
        found = self._observations.get(participant)
        if found is None:
            found = self._observations[participant] = Observation()
        return found

    def crashed(self, participant: str) -> None:
        """The process has ended, perhaps in the middle of an undo."""
        old = self._observations.pop(participant, None)
        if old and any(not isinstance(each, Reply) and _direction(each) == "undo" for each in old.in_hand):
            self.rare["crash in an undo"] += 1

    # --- the handler -----------------------------------------------------------------------------------------------

    def handling(self, participant: str, messages: Sequence[Message]) -> None:
        observed = self._of(participant)
        observed.transaction_over()
        observed.in_hand = list(messages)

    def decided(self, participant: str, outgoing: Sequence[Message]) -> None:
        self._of(participant).decided = [message.id for message in outgoing]
        handled = {message.id for message in self._of(participant).in_hand} | self._handled_ever
        for message in outgoing:
            if isinstance(message, Reply):
                code = message.refusal.code if message.refusal else ""
                self.rare["duplicate after undo"] += code == "called_off" and message.in_reply_to in self._handled_ever
                self.rare["stock exhausted"] += code == "out_of_stock"
                undone = message.outcome == "undone" and not message.report
                self.rare["undo before do"] += undone and _its_do(message) not in handled

    def lost_race(self) -> None:
        self.rare["lost race"] += 1

    # --- the transaction -------------------------------------------------------------------------------------------

    def sends(self, participant: str, bodies: Sequence[bytes]) -> None:
        self._of(participant).bodies += bodies

    def about_to_commit(self, participant: str) -> None:
        """M1: what follows from a message is written to the outbox in the same transaction."""
        observed = self._of(participant)
        if not observed.decided:
            return
        written = b"".join(observed.bodies)
        for message in observed.decided:
            if f'"id":"{message}"'.encode() not in written:
                raise InvariantBroken("I8", f"{participant} commits without sending {message}", _clerk_of(message))

    def committed(self, participant: str) -> None:
        observed = self._of(participant)
        self._count += 1
        for message in observed.in_hand:
            observed.committed[message.id] = self._count
            self._handled_ever.add(message.id)
        observed.transaction_over()

    # --- the broker ------------------------------------------------------------------------------------------------

    def taken(self, participant: str, deliveries: Sequence[Delivery]) -> None:
        observed = self._of(participant)
        self._count += 1
        for delivery in deliveries:
            observed.taken[delivery.receipt] = self._count

    def acknowledged(self, participant: str, deliveries: Sequence[Delivery]) -> None:
        """M2: a delivery is acknowledged only after the commit of each of its messages."""
        observed = self._of(participant)
        for delivery in deliveries:
            taken = observed.taken.pop(delivery.receipt)
            for message in _ids_in(delivery.body):
                if message not in self.excused and observed.committed.get(message, -1) < taken:
                    what = f"{participant} acknowledges {message} before its effect is committed"
                    raise InvariantBroken("I8", what, _clerk_of(message))


def _its_do(undone: Reply) -> str:
    return message_id(undone.clerk, undone.step, 1, "do")


def _clerk_of(message: str) -> str:
    return message.split("/", 1)[0]


def _direction(message: Message) -> str:
    return str(getattr(message, "direction", ""))


def _ids_in(body: bytes) -> list[str]:
    """The ids of the messages in a delivery; none when it cannot be read."""
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError:
        return []
    return [each["id"] for each in content if isinstance(each, dict) and isinstance(each.get("id"), str)]
