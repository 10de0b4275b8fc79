"""The till: what customers see of their payment and what happens when they pay. Its waits are short and few.

A payment of somebody else's is treated exactly like one that does not exist, the wait included (security S1).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Semaphore
from time import monotonic

from domain.refusals import Refused
from domain.times import to_wire
from messaging.database import Database, Tx
from payment_service.calls import Calls
from payment_service.payment import PUBLIC, Payment, card, pay
from payment_service.store import PaymentBooks, read_payments

FIRST_PAUSE, LONGEST_PAUSE = 0.02, 0.25
MayUse = Callable[[str], bool]
"""(the session's secret_sha256) → may the caller act on it?"""


@dataclass(frozen=True, slots=True)
class PaymentAnswer:
    """What both calls answer: `amount` in minor units, `declined` the reason of the last no, until the next try."""

    session: str
    amount: int
    currency: str
    status: str
    card: dict[str, str | None] | None
    expires_at: str | None
    declined: str | None


class Till:
    """`arrival_wait`: seconds for a payment that is on its way; `answer_wait`: seconds for the provider's answer.

    At most `waiters` calls wait at the same time, for they hold a thread each; the others are answered at once.
    """

    def __init__(
        self, database: Database, calls: Calls, *, arrival_wait: float, answer_wait: float, waiters: int
    ) -> None:
        self.database = database
        self.calls = calls
        self.arrival_wait = arrival_wait
        self.answer_wait = answer_wait
        self._places = Semaphore(waiters)

    def find(self, session: str, may_use: MayUse) -> Payment | None:
        """The payment, if it is the caller's; looks again for a while before it says no."""
        return self._until(self.arrival_wait, lambda: self._find_now(session, may_use))

    def pay(self, session: str, token: str) -> PaymentAnswer | Refused:
        """One try with this token, or, when money is on its way or here already, how that stands."""
        with self.database.begin() as tx:
            now = tx.lock([session])
            held = read_payments(tx, [session])
            move = pay(self._at_its_deadline(tx, held[session]), token, now)
            if isinstance(move, Refused):
                return move
            books = PaymentBooks(held, self.calls.mailbox.note)
            payment = books.make(move, now)
            books.save(tx)
        self.calls.mailbox.committed()
        if move.call is None:
            return shown(payment)
        key = move.call.key
        return _outcome(self._until(self.answer_wait, lambda: self._settled(session, key)) or payment)

    def _at_its_deadline(self, tx: Tx, payment: Payment) -> Payment:
        """The turn's deadline is the one that counts: it changes when an operator has the step asked anew."""
        turn = self.calls.desk.read(tx, [(payment.session, payment.step)]).get((payment.session, payment.step))
        return replace(payment, deadline=turn.deadline) if turn and turn.state == "waiting" else payment

    def _find_now(self, session: str, may_use: MayUse) -> Payment | None:
        payment = self._read(session)
        return payment if payment and may_use(payment.secret_sha256) else None

    def _settled(self, session: str, key: str) -> Payment | None:
        payment = self._read(session)
        return payment if payment and payment.calling != key else None

    def _read(self, session: str) -> Payment | None:
        with self.database.read() as tx:
            return read_payments(tx, [session]).get(session)

    def _until(self, limit: float, look: Callable[[], Payment | None]) -> Payment | None:
        """What `look` finds within `limit` seconds. It looks when the bell rings, and now and then: answers may be
        taken in by another process."""
        bell = self.calls.changed
        seen = bell.count
        found = look()
        if found or not self._places.acquire(blocking=False):
            return found
        try:
            end, pause = monotonic() + limit, FIRST_PAUSE
            while not found and (left := end - monotonic()) > 0:
                bell.wait(seen, min(pause, left))
                pause = min(pause * 2, LONGEST_PAUSE)
                seen = bell.count
                found = look()
            return found
        finally:
            self._places.release()


def shown(payment: Payment) -> PaymentAnswer:
    return PaymentAnswer(
        session=payment.session,
        amount=payment.amount,
        currency=payment.currency,
        status=PUBLIC.get(payment.status, payment.status),
        card=card(payment),
        expires_at=None if payment.deadline is None else to_wire(payment.deadline),
        declined=payment.declined,
    )


def _outcome(payment: Payment) -> PaymentAnswer | Refused:
    if payment.undo_asked:
        return Refused("session_ended", "the session was called off meanwhile; nothing is kept of this payment")
    if payment.declined and payment.status in ("waiting", "lost"):
        return Refused("card_declined", payment.declined)
    return shown(payment)
