"""Looks over every participant's shoulder: what was handled, decided, sent and committed, and in which order.

Some rules can be seen broken only in the act (M1, M2): a resend heals the harm before anybody looks. Those are
held here.
It also counts the rare things that must have happened.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import orjson

from domain.ids import message_id
from domain.messages import Message, Reply
from messaging.broker import Delivery

RARE = (
    "late reply",
    "undo before do",
    "duplicate after undo",
    "lost race",
    "commit unknown",
    "crash in an undo",
    "parked message",
    "stock exhausted",
    "operator's act",
)
"""What must have happened at least once in a thousand seeds (faults.md)."""


class Broken(BaseException):
    """An invariant does not hold. Like a crash it goes past production's own error handling."""

    def __init__(self, invariant: str, what: str, clerk: str | None = None) -> None:
        super().__init__(f"{invariant}: {what}")
        self.invariant = invariant
        self.what = what
        self.clerk = clerk


@dataclass
class Shoulder:
    """One participant, as far as it can be seen. `since` and `committed`: numbers of moments, growing."""

    in_hand: list[Message] = field(default_factory=list)
    decided: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    committed: dict[str, int] = field(default_factory=dict)
    taken: dict[int, int] = field(default_factory=dict)

    def rests(self) -> None:
        """Whatever transaction there was is over."""
        self.in_hand, self.decided, self.bodies = [], [], []


class Watch:
    """`excused`: ids that need not be handled, for they are bad and must be parked instead."""

    def __init__(self) -> None:
        self.rare: Counter[str] = Counter(dict.fromkeys(RARE, 0))
        self.excused: set[str] = set()
        self._shoulders: dict[str, Shoulder] = {}
        self._handled_ever: set[str] = set()
        self._moment = 0

    def shoulder(self, who: str) -> Shoulder:
        found = self._shoulders.get(who)
        if found is None:
            found = self._shoulders[who] = Shoulder()
        return found

    def gone(self, who: str) -> None:
        """The process has ended; was it in the middle of an undo?"""
        old = self._shoulders.pop(who, None)
        if old and any(not isinstance(each, Reply) and _direction(each) == "undo" for each in old.in_hand):
            self.rare["crash in an undo"] += 1

    # --- the handler -----------------------------------------------------------------------------------------------

    def handling(self, who: str, messages: Sequence[Message]) -> None:
        shoulder = self.shoulder(who)
        shoulder.rests()
        shoulder.in_hand = list(messages)

    def decides(self, who: str, outgoing: Sequence[Message]) -> None:
        self.shoulder(who).decided = [message.id for message in outgoing]
        handled = {message.id for message in self.shoulder(who).in_hand} | self._handled_ever
        for message in outgoing:
            if isinstance(message, Reply):
                code = message.refusal.code if message.refusal else ""
                self.rare["duplicate after undo"] += code == "called_off" and message.in_reply_to in self._handled_ever
                self.rare["stock exhausted"] += code == "out_of_stock"
                self.rare["undo before do"] += message.outcome == "undone" and _its_do(message) not in handled

    def loses_race(self) -> None:
        self.rare["lost race"] += 1

    # --- the transaction -------------------------------------------------------------------------------------------

    def sends(self, who: str, bodies: Sequence[bytes]) -> None:
        self.shoulder(who).bodies += bodies

    def about_to_commit(self, who: str) -> None:
        """M1: what follows from a message is in the outbox, in the same transaction."""
        shoulder = self.shoulder(who)
        if not shoulder.decided:
            return
        written = b"".join(shoulder.bodies)
        for message in shoulder.decided:
            if f'"id":"{message}"'.encode() not in written:
                raise Broken("I8", f"{who} commits without sending {message}", message.split("/", 1)[0])

    def committed(self, who: str) -> None:
        shoulder = self.shoulder(who)
        self._moment += 1
        for message in shoulder.in_hand:
            shoulder.committed[message.id] = self._moment
            self._handled_ever.add(message.id)
        shoulder.rests()

    # --- the broker ------------------------------------------------------------------------------------------------

    def taken(self, who: str, deliveries: Sequence[Delivery]) -> None:
        shoulder = self.shoulder(who)
        self._moment += 1
        for delivery in deliveries:
            shoulder.taken[delivery.tag] = self._moment

    def acknowledged(self, who: str, deliveries: Sequence[Delivery]) -> None:
        """M2: acknowledged only after the commit of each of its messages."""
        shoulder = self.shoulder(who)
        for delivery in deliveries:
            taken = shoulder.taken.pop(delivery.tag)
            for message in _ids_in(delivery.body):
                if message not in self.excused and shoulder.committed.get(message, -1) < taken:
                    clerk = message.split("/", 1)[0]
                    raise Broken("I8", f"{who} acknowledges {message} before its effect is committed", clerk)


def _its_do(undone: Reply) -> str:
    return message_id(undone.clerk, undone.step, 1, "do")


def _direction(message: Message) -> str:
    return str(getattr(message, "direction", ""))


def _ids_in(body: bytes) -> list[str]:
    """The ids of the messages in a delivery; of what cannot be read there are none."""
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError:
        return []
    return [each["id"] for each in content if isinstance(each, dict) and isinstance(each.get("id"), str)]
