"""An operator replays a parked message, under the same rules as any other (O3, M3), or discards it.

A reply is handled as if it arrived now, from the sender that it had. A command is asked anew under a new attempt, if
its question is still open: a service parks a poison message without handling it, so the same message would be parked
again. What was parked because its sender may not say it (S13) can only be discarded (docs/decisions/050).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from domain.document import SERVICES
from domain.messages import SHOP_MANAGER, Reply
from domain.refusals import Refused
from http_api.conventions import other_version
from http_api.principals import Principal
from http_api.problems import Problem, not_found
from messaging.database import Tx
from messaging.database_errors import DATABASE_ERRORS, ConcurrencyError
from messaging.envelope import decode, unpack
from messaging.fields import DecodeError
from shop_manager.engine import store, tables
from shop_manager.engine.manager import RACES, Executed
from shop_manager.operations.acts import Also, Attempted, DoneAlready
from shop_manager.operations.audit import AuditLine, record
from shop_manager.operations.parked_reads import (
    parked_line,
    read_one,
    state_of,
    version_of,
)
from shop_manager.operations.roles import require
from shop_manager.saga.happenings import Operated, Replied, Retry
from shop_manager.sessions.reads import Sessions

STATES = {"replay": "replayed", "discard": "discarded"}
ParkedRow = Mapping[str, Any]


class ParkedActs:
    """`replay` and `discard`. The same act again changes nothing and gets the same answer."""

    def __init__(self, sessions: Sessions) -> None:
        self.manager = sessions.manager

    def act(self, who: Principal, parked: str, action: str, reason: str, version: int | None = None) -> dict[str, Any]:
        """The message as `reads.parked_one` has it, after the act.

        Problem: `forbidden`, `not_found`, `version_conflict`, `overloaded`, `not_allowed_now` with why a replay would
        lead nowhere.
        """
        self.require(who, action, parked)
        refused = self.attempt(who, parked, action, reason, version)
        if refused and refused.code != "version_conflict":
            raise Problem(refused.code, refused.detail)
        with self.manager.database.read() as tx:
            row = read_one(tx, parked)
        if row is None:
            raise not_found()
        line = parked_line(row)
        if refused:
            raise other_version(line["version"], line, refused.detail)
        return line

    def require(self, who: Principal, action: str, parked: str) -> None:
        """Problem `forbidden` for a viewer; the attempt is written down."""
        require(self.manager.database, who, "operator", action, f"parked:{parked}")

    def attempt(
        self, who: Principal, parked: str, action: str, reason: str, version: int | None, *, also: Also | None = None,
        bulk: str | None = None,
    ) -> Refused | None:  # fmt: skip
        """The same for who wants the refusal as a value."""
        for _ in range(RACES):
            try:
                return _Attempt(self, who, action, reason, also=also, bulk=bulk).decide(parked, version)
            except ConcurrencyError:
                continue
        raise Problem("overloaded", "The Clerk is changing too quickly just now.")


class _Attempt:
    """One attempt at one parked message."""

    def __init__(
        self, acts: ParkedActs, who: Principal, action: str, reason: str, *, also: Also | None, bulk: str | None
    ) -> None:
        self.bulk = bulk
        self.manager = acts.manager
        self.who = who
        self.action = action
        self.reason = reason
        self.also = also
        self.executed: list[Executed] = []

    def decide(self, parked: str, version: int | None) -> Refused | None:
        try:
            with self.manager.database.begin() as tx:
                refused = self._within(tx, parked, version)
        except (*DATABASE_ERRORS, ConcurrencyError, Problem, DoneAlready):
            raise
        except Exception as error:  # what made the handler fail before may do so again: nothing was changed
            refused = Refused("not_allowed_now", f"the handler failed again with {type(error).__name__}")
            with self.manager.database.begin() as tx:
                self._write_down(tx, parked, version, refused)
        else:
            self.manager.announce(self.executed)
        return refused

    def _within(self, tx: Tx, parked: str, version: int | None) -> Refused | None:
        tx.lock([f"parked:{parked}"])
        row = read_one(tx, parked)
        if row is None:
            raise not_found()
        outcome = self._outcome(tx, row, version)
        refused = outcome if isinstance(outcome, Refused) else None
        is_news = isinstance(outcome, str) and state_of(row) == "parked"
        if is_news:
            decided = {"parked": parked, "state": STATES[self.action], "at": tx.now(), "who": self.who.name or "",
                       "reason": self.reason, "effect": outcome}  # fmt: skip
            tx.upsert(tables.operations_schema.parked_decisions, [decided], ["parked"])
        self._write_down(tx, parked, version, outcome, row if is_news else None)
        return refused

    def _outcome(self, tx: Tx, row: ParkedRow, version: int | None) -> str | Refused:
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
        if row["forged"]:
            return Refused("not_allowed_now", "whoever sent it may not say it: it can only be discarded")
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
            executed = self.manager.execute_within(tx, clerk, act)
        else:
            refused = self._why_not_taken(tx, message)
            if refused:
                return Refused("not_allowed_now", refused)
            executed = self.manager.execute_within(tx, clerk, Replied(message, self.who.name or ""))
        if executed is None:
            return Refused("not_allowed_now", f"there is no Clerk {clerk}")
        self.executed.append(executed)
        return _told(executed)

    def _why_not_taken(self, tx: Tx, reply: Reply) -> str | None:
        """Why the reply cannot be taken: nobody knows its step, or its sender may not answer for it."""
        versioned = store.read(tx, [reply.clerk]).get(reply.clerk)
        saga = versioned.saga if versioned else None
        if saga is None or not (saga.ended or reply.step in self.manager.processes[saga.process].names):
            return f"there is no Clerk {reply.clerk} that has a step {reply.step!r}"
        return self.manager.why_forged(saga, reply)

    def _write_down(
        self, tx: Tx, parked: str, version: int | None, outcome: Refused | str, news: ParkedRow | None = None
    ) -> None:
        """`news`: the row, when something has changed."""
        refused = outcome if isinstance(outcome, Refused) else None
        line = AuditLine(
            action=self.action,
            target=f"parked:{parked}",
            outcome=refused.code if refused else "done",
            reason=self.reason,
            detail=outcome.detail if isinstance(outcome, Refused) else outcome,
            seen=version,
            bulk=self.bulk,
        )
        record(tx, self.who, line, tx.now(), news and _about(news))
        if self.also:
            self.also(tx, self._attempted(refused), tx.now())

    def _attempted(self, refused: Refused | None) -> Attempted:
        if refused or len(self.executed) != 1:
            return Attempted(refused)
        [executed] = self.executed
        return Attempted(None, executed.before, executed.decision.saga)


def _about(row: ParkedRow) -> dict[str, Any]:
    """For the activity feed."""
    return {"service": row["service"], "clerk": row["message"].split("/", 1)[0] if row["message"] else None}


def readable(row: ParkedRow) -> list[Reply | str] | Refused:
    """The replies, and the ids of the commands, in a parked delivery; Refused says why it cannot be replayed."""
    if row["service"] in SERVICES and row["message"]:
        return [row["message"]]  # ShopManager has the question itself: it does not need the bytes
    body = bytes(row["body"] or b"")
    if len(body) < row["size"]:
        return Refused("not_allowed_now", f"only the first {len(body)} of its {row['size']} bytes were kept")
    try:
        return [_message(content, row["sender"]) for content in unpack(body)]
    except DecodeError as error:
        return Refused("not_allowed_now", f"it cannot be read, so it stays parked: {error}")


def _message(content: Any, sender: str | None) -> Reply | str:
    if isinstance(content, dict) and content.get("kind") == "command" and isinstance(content.get("id"), str):
        return str(content["id"])
    message = decode(content, SHOP_MANAGER, sender)
    if not isinstance(message, Reply):
        raise DecodeError("it is a notice, which asks for nothing")
    return message


def _told(executed: Executed) -> str | Refused:
    decision = executed.decision
    if decision.refused:
        return Refused("not_allowed_now", decision.refused.detail)
    if decision.ignored:
        return f"ignored: {decision.ignored}"
    question = decision.saga.question
    return f"taken; now asked: {question.step}, attempt {question.attempt}" if question else "taken"
