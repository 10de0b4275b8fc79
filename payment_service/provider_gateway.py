"""Calls to the payment provider, made between two transactions, and what follows from its answers.

One transaction records the intention to call (handlers.py, use_cases.py). After its commit the gateway hands the call
to the provider. All answers that have come are taken in by one transaction, which also concludes the turns that waited
for them (M6). A call without an answer is sent again under the same key.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import replace
from threading import Event, Thread
from typing import Any

import structlog

from domain.messages import Command, Reply
from domain.refusals import Refused
from messaging.broker import OutboundMessage
from messaging.database import Database, Tx
from messaging.database_errors import DATABASE_ERRORS, said_by
from messaging.failpoints import reached
from messaging.outbox import Outbox
from messaging.turns import Dispatcher, Failing, HandlerResult, Turn
from payment_service.handlers import CAPTURE, is_undone, result_for
from payment_service.notifier import Notifier
from payment_service.payment import Payment, answered, section, waits_again
from payment_service.provider import Provider, ProviderAnswer, in_full
from payment_service.provider_figures import ProviderFigures
from payment_service.queries import hand_again, lock_and_read_calls, read_calls, remember_event, unanswered
from payment_service.store import WORN_OUT_AFTER, CallRecord, PaymentUnitOfWork, pause_after, read_payments
from payment_service.work_queue import WorkQueue

BATCH = 200
UNAVAILABLE = Failing(Refused("provider_unavailable", "the payment provider does not answer yet"))
log = structlog.get_logger()


class ProviderGateway:
    """Its thread calls `round` again and again, and nothing else. `changed` tells of every batch of answers."""

    def __init__(
        self,
        database: Database,
        dispatcher: Dispatcher[PaymentUnitOfWork],
        outbox: Outbox,
        provider: Provider,
        work_queue: WorkQueue,
    ) -> None:
        self.database = database
        self.dispatcher = dispatcher
        self.outbox = outbox
        self.provider = provider
        self.work_queue = work_queue
        self.changed = Notifier()
        self.on_answers: Callable[[Sequence[ProviderAnswer]], None] = lambda answers: None
        """Called with answers that were taken in."""
        self.figures = ProviderFigures()
        self._stop = Event()
        self._thread = Thread(target=self._run, name="provider-gateway", daemon=True)

    def start(self) -> None:
        """Hand over at once all that has no answer yet, perhaps because of a crash; then start the thread."""
        self.hand_over_due(everything=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self.work_queue.wake()
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
            except DATABASE_ERRORS as error:  # the calls are in the database and are handed over when they are due
                log.warning("calls_wait", trouble=said_by(error))
                self._stop.wait(0.5)
            except Exception:  # the thread must outlive a bug; the calls concerned are sent again
                log.exception("calls_round_failed")
                self._stop.wait(0.5)

    def round(self, wait: float) -> bool:
        """Take in answers, hand over new calls, then those that are due. False when there was nothing to do."""
        work = self.work_queue.take(wait)
        self.take_in(work.answers)
        self.hand_over(work.keys)
        if work.check_due:
            self.hand_over_due()
        return bool(work)

    # --- to the provider -------------------------------------------------------------------------------------------

    def hand_over(self, keys: Sequence[str]) -> None:
        """Hand new calls over: those whose row was committed and that were not dropped meanwhile."""
        if not keys:
            return
        with self.database.look() as tx:
            records = read_calls(tx, keys).values()
        self._submit([record for record in records if record.next_try_at is not None])

    def hand_over_due(self, everything: bool = False) -> None:
        """Hand over again the calls that are due; those that were not answered in time count as `no_answer` first.

        `everything`: all calls without an answer, due or not.
        """
        with self.database.look() as tx:
            due = unanswered(tx, 100_000 if everything else BATCH, due=not everything)
        silent = [record for record in due if record.state == "handed" and not everything]
        again = [record for record in due if record not in silent]
        self.take_in([ProviderAnswer(record.call.key, "no_answer", reason="no answer in time") for record in silent])
        for start in range(0, len(again), BATCH):
            part = again[start : start + BATCH]
            with self.database.begin() as tx:
                hand_again(tx, part, tx.now())
            self._submit(part)

    def _submit(self, records: Sequence[CallRecord]) -> None:
        if records:
            self.provider.submit([record.call for record in records], self.work_queue.answered)

    # --- from the provider -----------------------------------------------------------------------------------------

    def take_in(self, answers: Sequence[ProviderAnswer], event: str | None = None) -> None:
        """All in one transaction; when that fails, each in its own, so that a bad one does not hold up the others.

        `event` is the id of the provider's event that carried the answer: one that was taken before changes nothing.
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

    def _take_in_alone(self, one: ProviderAnswer) -> None:
        try:
            self._commit([one], None)
        except DATABASE_ERRORS:
            raise
        except Exception:  # this call stays unanswered and is sent again; the others go on
            log.exception("answer_failed", key=one.key)

    def _commit(self, answers: Sequence[ProviderAnswer], event: str | None) -> None:
        outbound: list[OutboundMessage] = []
        with self.database.begin() as tx:
            keys = {each.key for each in answers}
            now, records = lock_and_read_calls(tx, map(_clerk_of, keys), keys)
            if event is None or remember_event(tx, event, answers[0].key, now):
                outbound = self.outbox.write(tx, self._settle(tx, answers, records, now), now)
        self.work_queue.committed()
        self.outbox.send(outbound)
        self.figures.note(answers)
        self.on_answers(answers)
        self.changed.notify()

    def _settle(
        self, tx: Tx, answers: Sequence[ProviderAnswer], records: dict[str, CallRecord], now: int
    ) -> list[Reply]:
        """Change the calls (by key: `records`), payments and turns that the answers concern; returns the replies."""
        payments = read_payments(tx, {record.clerk for record in records.values()})
        uow = PaymentUnitOfWork(payments, self.work_queue.add_uncommitted)
        declined: set[str] = set()
        worn_out: dict[str, bool] = {}  # by Clerk: all whose calls the answers concern
        for each in answers:
            record = records.get(each.key)
            if record is None or record.state == "answered":
                continue
            records[each.key] = record = _apply(uow, record, in_full(record.call, each), now)
            worn_out[record.clerk] = _is_worn_out(record) or worn_out.get(record.clerk, False)
            if record.outcome == "declined":
                declined.add(record.clerk)
        concerned = [payment for clerk in worn_out if (payment := uow.payment(clerk))]
        replies = self._conclude(tx, concerned, worn_out, declined, now)
        uow.save(tx)
        return replies

    def _conclude(
        self, tx: Tx, payments: Sequence[Payment], worn_out: Mapping[str, bool], declined: Set[str], now: int
    ) -> list[Reply]:
        """Conclude the turns for which the payments have a result by now, and report those that wait again."""
        results: list[tuple[Turn, HandlerResult]] = []
        reports: list[tuple[Turn, Mapping[str, Any]]] = []
        undone: list[Turn] = []
        for payment, turn in self._open_turns(tx, payments):
            if _is_undone_unasked(payment, turn):
                undone += [_as_undone(payment, turn)] if is_undone(payment) else []
            elif turn.command and (result := _result(payment, turn.command, worn_out[payment.session])):
                results.append((turn, result))
            elif payment.session in declined and (keys := waits_again(payment, now)):
                reports.append((turn, keys))
        self.dispatcher.write(tx, undone, now)
        return self.dispatcher.conclude_waiting(tx, results, now) + self.dispatcher.report(tx, reports, now)

    def _open_turns(self, tx: Tx, payments: Sequence[Payment]) -> list[tuple[Payment, Turn]]:
        """The payments' turns, but those that have ended and were asked nothing since."""
        by_key = {(each.session, step): each for each in payments for step in (each.step, each.capture_step) if step}
        turns = self.dispatcher.read(tx, by_key) if by_key else {}
        found = [(payment, turns[key]) for key, payment in by_key.items() if key in turns]
        return [(payment, turn) for payment, turn in found if turn.command or turn.state not in ("refused", "undone")]


def _apply(uow: PaymentUnitOfWork, record: CallRecord, answer: ProviderAnswer, now: int) -> CallRecord:
    """The call's record after the answer; a clear answer also changes its payment."""
    if answer.outcome == "no_answer":
        if record.state == "dropped":
            return record
        kept = replace(record, state="pending", next_try_at=now + pause_after(record.tries), reason=answer.reason)
    else:
        kept = replace(record, state="answered", next_try_at=None, outcome=answer.outcome, reason=answer.reason)
        uow.apply(answered(uow.known(record.clerk), record.call, answer, now), now)
    uow.keep(kept)
    return kept


def _result(payment: Payment, command: Command, worn_out: bool) -> HandlerResult | None:
    """What the payment's state answers to the command by now; None: wait on. An undo is not kept waiting forever."""
    result = result_for(payment, command)
    if result is None and worn_out and command.direction == "undo":
        return UNAVAILABLE
    return result


def _is_undone_unasked(payment: Payment, turn: Turn) -> bool:
    """Is the payment being undone while its turn has no undo that waits for a reply?

    The undo was answered "failing for now", or the do came once more in between. Nothing is replied then: the next
    attempt of the undo finds the turn undone.
    """
    undo_waits = turn.command is not None and turn.command.direction == "undo"
    return payment.undo_asked and not undo_waits and turn.name != CAPTURE


def _as_undone(payment: Payment, turn: Turn) -> Turn:
    return replace(turn, state="undone", attempt=1, section=section(payment), command=None)


def _is_worn_out(record: CallRecord) -> bool:
    """Has a void or refund been tried so often without an answer that its undo is reported as failing for now (U5)?"""
    return record.state == "pending" and record.call.kind in ("void", "refund") and record.tries >= WORN_OUT_AFTER


def _clerk_of(key: str) -> str:
    return key.split("/", 1)[0]
