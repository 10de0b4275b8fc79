"""An operator decides what becomes of a parked message: replayed, through M3 like any other (O3), or discarded.

A reply is taken as if it arrived now. A command is asked anew, if its question is still open: under a new attempt,
because its service would park the same message unseen when it once took the process with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from domain.document import SERVICES
from domain.messages import SHOP_MANAGER, Reply
from domain.refusals import Refused
from doors.callers import Caller
from doors.problems import Problem, not_found
from messaging.database import Tx
from messaging.envelope import decode, unpack
from messaging.fields import Unreadable
from messaging.worker import DATABASE_ERRORS, LostRace
from shop_manager import store
from shop_manager.happenings import Operated, Replied, Retry
from shop_manager.manager import RACES, Taken
from shop_manager.operations.acts import Also, DoneAlready
from shop_manager.operations.audit import Line, record
from shop_manager.operations.roles import require
from shop_manager.parked_reads import parked_line, read_one, state_of, version_of
from shop_manager.sessions import Sessions

STATES = {"replay": "replayed", "discard": "discarded"}
Row = Mapping[str, Any]


class ParkedActs:
    """`replay` and `discard`. The same act again changes nothing and gets the same answer."""

    def __init__(self, sessions: Sessions) -> None:
        self.manager = sessions.manager

    def act(self, who: Caller, parked: str, action: str, reason: str, version: int | None = None) -> dict[str, Any]:
        """The message as `reads.parked_one` has it, after the act.

        Problem: `forbidden`, `not_found`, `version_conflict`, `overloaded`, `not_allowed_now` with why a replay would
        lead nowhere.
        """
        self.require(who, action, parked)
        refused = self.attempt(who, parked, action, reason, version)
        if refused:
            raise Problem(refused.code, refused.detail)
        with self.manager.database.read() as tx:
            row = read_one(tx, parked)
        if row is None:
            raise not_found()
        return parked_line(row)

    def require(self, who: Caller, action: str, parked: str) -> None:
        """Problem `forbidden` for a viewer; the attempt is written down."""
        require(self.manager.database, who, "operator", action, f"parked:{parked}")

    def attempt(
        self, who: Caller, parked: str, action: str, reason: str, version: int | None, *, also: Also | None = None
    ) -> Refused | None:
        """The same for who wants the refusal as a value."""
        for _ in range(RACES):
            try:
                return _Attempt(self, who, action, reason, also).decide(parked, version)
            except LostRace:
                continue
        raise Problem("overloaded", "The Clerk is changing too quickly just now.")


class _Attempt:
    """One attempt at one parked message."""

    def __init__(self, acts: ParkedActs, who: Caller, action: str, reason: str, also: Also | None) -> None:
        self.manager = acts.manager
        self.who = who
        self.action = action
        self.reason = reason
        self.also = also
        self.taken: list[Taken] = []

    def decide(self, parked: str, version: int | None) -> Refused | None:
        try:
            with self.manager.database.begin() as tx:
                refused = self._within(tx, parked, version)
        except (*DATABASE_ERRORS, LostRace, Problem, DoneAlready):
            raise
        except Exception as error:  # what made the handler fail before may do so again: nothing was changed
            refused = Refused("not_allowed_now", f"the handler failed again with {type(error).__name__}")
            with self.manager.database.begin() as tx:
                self._write_down(tx, parked, version, refused, "")
        else:
            self.manager.tell(self.taken)
        return refused

    def _within(self, tx: Tx, parked: str, version: int | None) -> Refused | None:
        tx.lock([f"parked:{parked}"])
        row = read_one(tx, parked)
        if row is None:
            raise not_found()
        outcome = self._outcome(tx, row, version)
        refused = outcome if isinstance(outcome, Refused) else None
        if isinstance(outcome, str) and state_of(row) == "parked":
            decided = {"parked": parked, "state": STATES[self.action], "at": tx.now(), "who": self.who.name or "",
                       "reason": self.reason, "effect": outcome}  # fmt: skip
            tx.upsert(store.operations.parked_decisions, [decided], ["parked"])
        self._write_down(tx, parked, version, refused, "" if refused else str(outcome))
        return refused

    def _outcome(self, tx: Tx, row: Row, version: int | None) -> str | Refused:
        """What became of it in words, or why nothing did."""
        state = state_of(row)
        if state == STATES[self.action]:
            return f"it was {state} already: nothing has changed"
        if version is not None and version != version_of(row):
            return Refused("version_conflict", f"it is at version {version_of(row)}, not at {version}")
        if state != "parked":
            return Refused("not_allowed_now", f"it was {state} already")
        if self.action == "discard":
            return "nobody sends it again; it stays listed"
        messages = readable(row)
        return messages if isinstance(messages, Refused) else self._replay(tx, messages)

    def _replay(self, tx: Tx, messages: Sequence[Reply | str]) -> str | Refused:
        """All messages of the delivery; refused when none of them led anywhere."""
        outcomes = [self._take(tx, message) for message in messages]
        told = [outcome for outcome in outcomes if isinstance(outcome, str)]
        refused = [outcome for outcome in outcomes if isinstance(outcome, Refused)]
        return "; ".join(told) if told else refused[0]

    def _take(self, tx: Tx, message: Reply | str) -> str | Refused:
        clerk = message.split("/", 1)[0] if isinstance(message, str) else message.clerk
        if isinstance(message, str):
            act = Operated(Retry(message), self.who.name or "", self.reason)
            taken = self.manager.take_within(tx, clerk, act)
        elif self._knows_step(tx, message):
            taken = self.manager.take_within(tx, clerk, Replied(message))
        else:
            return Refused("not_allowed_now", f"there is no Clerk {clerk} that has a step {message.step!r}")
        if taken is None:
            return Refused("not_allowed_now", f"there is no Clerk {clerk}")
        self.taken.append(taken)
        return _told(taken)

    def _knows_step(self, tx: Tx, reply: Reply) -> bool:
        held = store.read(tx, [reply.clerk]).get(reply.clerk)
        return held is not None and (held.saga.ended or reply.step in self.manager.catalogue[held.saga.process].names)

    def _write_down(self, tx: Tx, parked: str, version: int | None, refused: Refused | None, effect: str) -> None:
        line = Line(
            action=self.action,
            target=f"parked:{parked}",
            outcome=refused.code if refused else "done",
            reason=self.reason,
            detail=refused.detail if refused else effect,
            seen=version,
        )
        record(tx, self.who, line, tx.now())
        if self.also:
            self.also(tx, refused, tx.now())


def readable(row: Row) -> list[Reply | str] | Refused:
    """The replies, and the ids of the commands, in a parked delivery; Refused says why it cannot be replayed."""
    if row["service"] in SERVICES and row["message"]:
        return [row["message"]]  # ShopManager has the question itself: it does not need the bytes
    body = bytes(row["body"] or b"")
    if len(body) < row["size"]:
        return Refused("not_allowed_now", f"only the first {len(body)} of its {row['size']} bytes were kept")
    try:
        return [_message(content) for content in unpack(body)]
    except Unreadable as error:
        return Refused("not_allowed_now", f"it cannot be read and would be parked again: {error}")


def _message(content: Any) -> Reply | str:
    if isinstance(content, dict) and content.get("kind") == "command" and isinstance(content.get("id"), str):
        return str(content["id"])
    message = decode(content, SHOP_MANAGER)
    if not isinstance(message, Reply):
        raise Unreadable("it is a notice, which asks for nothing")
    return message


def _told(taken: Taken) -> str | Refused:
    decision = taken.decision
    if decision.refused:
        return Refused("not_allowed_now", decision.refused.detail)
    if decision.ignored:
        return f"ignored: {decision.ignored}"
    question = decision.saga.question
    return f"taken; now asked: {question.step}, attempt {question.attempt}" if question else "taken"
