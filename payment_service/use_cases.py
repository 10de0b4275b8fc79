"""What a customer does over HTTP: look at the payment, and pay. Both wait for a short while, for few at a time."""

from __future__ import annotations

from dataclasses import dataclass, replace

from domain.refusals import Refused
from domain.times import to_wire
from http_api.access_check import KEY, AccessCheck, BoundedWait, MayUse
from http_api.request import Origin
from messaging.database import Database, Tx
from payment_service.card_tries import CardTries
from payment_service.payment import PUBLIC, Payment, card, has_too_many_cards, pay, under_way
from payment_service.provider_gateway import ProviderGateway
from payment_service.reports import PaymentReports
from payment_service.store import PaymentUnitOfWork, read_payments

TOLD_AFTER = 0.3
"""Seconds that the provider may take before ShopManager is told that it is asked for a customer who waits here."""


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


@dataclass(frozen=True, slots=True)
class TooManyDeclined:
    """So many cards were declined to callers from there that the next one waits `seconds`."""

    seconds: int


class PaymentUseCases:
    """`arrival_wait`: seconds for a payment that is on its way; `answer_wait`: seconds for the provider's answer.

    At most `waiters` calls wait at the same time; the others are answered at once. `tries` bounds declined cards by
    where they come from.
    """

    def __init__(
        self,
        database: Database,
        gateway: ProviderGateway,
        reports: PaymentReports,
        *,
        arrival_wait: float,
        answer_wait: float,
        waiters: int,
        tries: CardTries | None = None,
    ) -> None:
        self.database = database
        self.gateway = gateway
        self.reports = reports
        self._tries = tries or CardTries()
        gateway.on_answers = self._tries.answered
        self.answer_wait = answer_wait
        self._wait = BoundedWait(waiters, pauses=gateway.changed.watch)
        self._access = AccessCheck(self._read, self._wait, arrival_wait)

    def find(self, session: str, may_use: MayUse, network: str = KEY) -> Payment | None:
        """The session's payment, if the principal may use it; waits a moment for one that is on its way (S1)."""
        return self._access.find(session, may_use, network)

    def pay(self, session: str, token: str, origin: Origin | None = None) -> PaymentAnswer | Refused | TooManyDeclined:
        """One try with this token, or, when money is on its way or here already, how that stands.

        `origin`: where a caller without an access key calls from.
        """
        with self.database.begin() as tx:
            now = tx.lock([session])
            payments = read_payments(tx, [session])
            transition = pay(self._with_deadline(tx, payments[session]), token, now)
            if isinstance(transition, Refused):
                return transition
            wait = self._tries.take(transition.call.key, origin) if transition.call and origin else 0
            if wait:
                return TooManyDeclined(wait)
            uow = PaymentUnitOfWork(payments, self.gateway.work_queue.add_uncommitted)
            payment = uow.apply(transition, now)
            uow.save(tx)
        self.gateway.work_queue.committed()
        if transition.call is None:
            return self.show(payment)
        key, network = transition.call.key, origin.network if origin else KEY
        at_once = min(TOLD_AFTER, self.answer_wait)
        settled = self._wait.until(at_once, lambda: self._settled(session, key), network)
        if settled is None:
            self.reports.tell([session])
            settled = self._wait.until(self.answer_wait - at_once, lambda: self._settled(session, key), network)
        return _outcome(settled or payment)

    def show(self, payment: Payment) -> PaymentAnswer:
        """The payment; that the provider is asked is told nobody before ShopManager is told (decision 088)."""
        if under_way(payment):
            self.reports.tell([payment.session])
        return as_answer(payment)

    def _with_deadline(self, tx: Tx, payment: Payment) -> Payment:
        """The payment with its turn's deadline, which is later after an operator has had the step asked anew."""
        turn = self.gateway.dispatcher.read(tx, [(payment.session, payment.step)]).get((payment.session, payment.step))
        return replace(payment, deadline=turn.deadline) if turn and turn.state == "waiting" else payment

    def _settled(self, session: str, key: str) -> Payment | None:
        """The payment, once the call with this key has its answer."""
        payment = self._read(session)
        return payment if payment and payment.calling != key else None

    def _read(self, session: str) -> Payment | None:
        with self.database.look() as tx:
            return read_payments(tx, [session]).get(session)


def as_answer(payment: Payment) -> PaymentAnswer:
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
        return Refused(
            "session_ended", "the session was called off meanwhile, nothing is kept of this payment: open a new session"
        )
    if payment.declined and payment.status in ("waiting", "declined", "lost"):
        may_go_on = payment.status == "waiting" and not has_too_many_cards(payment)
        what_now = "send the `token` of another card" if may_go_on else "this session takes no other card"
        return Refused("card_declined", f"{payment.declined}; nothing was charged: {what_now}")
    return as_answer(payment)
