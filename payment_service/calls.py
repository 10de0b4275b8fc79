"""The desk that talks to the provider between two transactions, and answers ShopManager when it has an answer.

One transaction records the intention (handlers.py, api.py). After its commit this desk hands the call over; the answers
that are at hand are taken in, all of them in one transaction. What is not answered is sent again with the same key.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from threading import Event, Thread

import structlog

from domain.messages import Message, Reply
from domain.refusals import Refused
from messaging.broker import Parcel
from messaging.database import Database, Tx
from messaging.failpoints import reached
from messaging.outbox import Outbox
from messaging.turns import Desk, Failing, Turn
from messaging.worker import DATABASE_ERRORS
from payment_service.bell import Bell
from payment_service.handlers import CAPTURE, is_undone, verdict
from payment_service.mailbox import Mailbox
from payment_service.payment import Payment, answered, section
from payment_service.provider import Answer, Provider
from payment_service.store import (
    PATIENCE,
    CallRecord,
    PaymentBooks,
    hand_again,
    pause_after,
    read_calls,
    read_payments,
    remember_event,
    unanswered,
)

BATCH = 200
UNAVAILABLE = Failing(Refused("provider_unavailable", "the payment provider does not answer yet"))
log = structlog.get_logger()


class Calls:
    """`round` does what is at hand; the thread does nothing else. `changed` is raised after every batch of answers."""

    def __init__(
        self, database: Database, desk: Desk[PaymentBooks], outbox: Outbox, provider: Provider, mailbox: Mailbox
    ) -> None:
        self.database = database
        self.desk = desk
        self.outbox = outbox
        self.provider = provider
        self.mailbox = mailbox
        self.changed = Bell()
        self._stop = Event()
        self._thread = Thread(target=self._run, name="payment-calls", daemon=True)

    def start(self) -> None:
        """Take up at once what a crash left unanswered, then whatever comes."""
        self.hand_over_due(everything=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self.mailbox.wake()
        if self._thread.is_alive():
            self._thread.join(2.0)
        self.provider.close()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self.round(wait=1.0)
            except DATABASE_ERRORS as error:  # what was at hand is in the database: it is taken up when its time comes
                log.warning("calls_wait", trouble=str(getattr(error, "orig", None) or error).strip().splitlines()[0])
                self._stop.wait(0.5)
            except Exception:  # the thread must outlive a bug; the calls concerned are sent again
                log.exception("calls_round_failed")
                self._stop.wait(0.5)

    def round(self, wait: float) -> bool:
        """Answers first, then new calls, then those whose time has come. False when there was nothing."""
        post = self.mailbox.take(wait)
        self.take_in(post.answers)
        self.hand_over(post.keys)
        if post.look:
            self.hand_over_due()
        return bool(post)

    # --- to the provider -------------------------------------------------------------------------------------------

    def hand_over(self, keys: Sequence[str]) -> None:
        """New calls, if their intention is committed and still stands."""
        if not keys:
            return
        with self.database.read() as tx:
            records = read_calls(tx, keys).values()
        self._submit([record for record in records if record.next_try_at is not None])

    def hand_over_due(self, everything: bool = False) -> None:
        """Calls that had no answer: those that rest are sent again; those the provider kept silent about, noted so."""
        with self.database.read() as tx:
            now = tx.now()
            due = unanswered(tx, None if everything else now, 100_000 if everything else BATCH)
        silent = [record for record in due if record.state == "handed" and not everything]
        again = [record for record in due if record not in silent]
        self.take_in([Answer(record.call.key, "no_answer", reason="no answer in time") for record in silent])
        for start in range(0, len(again), BATCH):
            part = again[start : start + BATCH]
            with self.database.begin() as tx:
                hand_again(tx, part, tx.now())
            self._submit(part)

    def _submit(self, records: Sequence[CallRecord]) -> None:
        if records:
            self.provider.submit([record.call for record in records], self.mailbox.answered)

    # --- from the provider -----------------------------------------------------------------------------------------

    def take_in(self, answers: Sequence[Answer], event: str | None = None) -> None:
        """All in one transaction; when that fails, each alone, so that a bad one harms no other.

        `event` is the id of a provider's notice: when it was taken before, nothing happens.
        """
        if not answers:
            return
        reached("provider_answered")
        try:
            self._commit(answers, event)
        except DATABASE_ERRORS:
            raise
        except Exception:
            if len(answers) == 1:
                raise
            for each in answers:
                self._take_in_alone(each)

    def _take_in_alone(self, one: Answer) -> None:
        try:
            self._commit([one], None)
        except DATABASE_ERRORS:
            raise
        except Exception:  # this call stays unanswered and is sent again; the others go on
            log.exception("answer_failed", key=one.key)

    def _commit(self, answers: Sequence[Answer], event: str | None) -> None:
        parcels: list[Parcel] = []
        with self.database.begin() as tx:
            now = tx.lock({_clerk_of(each.key) for each in answers})
            if event is None or remember_event(tx, event, answers[0].key, now):
                parcels = self.outbox.write(tx, self._settle(tx, answers, now), now)
        self.mailbox.committed()
        self.outbox.send(parcels)
        self.changed.set()

    def _settle(self, tx: Tx, answers: Sequence[Answer], now: int) -> list[Message]:
        """Calls, payments and turns that the answers change; returns the replies."""
        records = read_calls(tx, {each.key for each in answers})
        books = PaymentBooks(read_payments(tx, {record.clerk for record in records.values()}), self.mailbox.note)
        concerned: dict[str, bool] = {}
        for each in answers:
            record = records.get(each.key)
            if record is None or record.state == "answered":
                continue
            records[each.key] = self._take(books, record, each, now)
            worn_out = _is_worn_out(records[each.key])
            concerned[record.clerk] = worn_out or concerned.get(record.clerk, False)
        replies = self._conclude(tx, books, concerned, now)
        books.save(tx)
        return replies

    def _take(self, books: PaymentBooks, record: CallRecord, one: Answer, now: int) -> CallRecord:
        if one.outcome == "no_answer":
            if record.state == "dropped":
                return record
            kept = replace(record, state="pending", next_try_at=now + pause_after(record.tries), reason=one.reason)
        else:
            kept = replace(record, state="answered", next_try_at=None, outcome=one.outcome, reason=one.reason)
            books.make(answered(books.known(record.clerk), record.call, one, now), now)
        books.keep(kept)
        return kept

    def _conclude(self, tx: Tx, books: PaymentBooks, concerned: dict[str, bool], now: int) -> list[Message]:
        payments = [payment for clerk in concerned if (payment := books.payment(clerk))]
        keys = {(each.session, step) for each in payments for step in (each.step, each.capture_step) if step}
        turns = self.desk.read(tx, keys) if keys else {}
        changed: list[Turn] = []
        replies: list[Message] = []
        for payment in payments:
            for step in (payment.step, payment.capture_step):
                turn = turns.get((payment.session, step)) if step else None
                after, reply = self._answer(payment, turn, concerned[payment.session], now)
                changed += [after] if after else []
                replies += [reply] if reply else []
        self.desk.write(tx, changed, now)
        return replies

    def _answer(
        self, payment: Payment, turn: Turn | None, worn_out: bool, now: int
    ) -> tuple[Turn | None, Reply | None]:
        """The turn to keep and the reply to send, as the payment stands now; None where there is none."""
        if turn is None or (turn.state in ("refused", "undone") and turn.command is None):
            return None, None
        command = turn.command
        unasked = command is None or command.direction == "do"
        if unasked and payment.undo_asked and turn.name != CAPTURE:
            # the undo was answered "failing for now" (or a late double of the do came in between): nothing is to be
            # said; the next attempt of the undo finds it done
            undone = replace(turn, state="undone", attempt=1, section=section(payment), command=None)
            return (undone if is_undone(payment) else None), None
        if command is None:
            return None, None
        outcome = verdict(payment, command)
        if outcome is None and worn_out and command.direction == "undo":
            outcome = UNAVAILABLE
        if outcome is None:
            return None, None
        after, reply = self.desk.conclude(turn, command, outcome, now)
        return after or replace(turn, command=None), reply


def _is_worn_out(record: CallRecord) -> bool:
    return record.state == "pending" and record.call.kind in ("void", "refund") and record.tries >= PATIENCE


def _clerk_of(key: str) -> str:
    return key.split("/", 1)[0]
