"""The rules of a payment, pure: what may follow what, whatever the order in which people, commands and answers come.

A payment has at most one call to the provider that counts (`calling`). Each function returns a `Transition`: the
payment as it is now, the next call if there is one, and what goes into the trail.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from domain.refusals import Refused
from domain.times import to_wire
from payment_service.provider import Call, CallKind, ProviderAnswer

PaymentStatus = Literal[
    "waiting",  # for the customer
    "authorizing",
    "charging",
    "authorized",
    "capturing",
    "capture_refused",  # a clear no: still authorised, to be voided
    "captured",
    "voiding",
    "refunding",
    "return_refused",  # the provider said no to a void or refund: asked again under a new key with the next undo
    "voided",
    "refunded",
    "closed",  # ended, and nothing was ever authorised
    "declined",  # no other card is taken: a session that brought its token has one try, every other one MOST_CARDS
    "lost",  # an invoice that was not paid in time
]
ASKING: dict[CallKind, PaymentStatus] = {
    "authorize": "authorizing",
    "charge": "charging",
    "capture": "capturing",
    "void": "voiding",
    "refund": "refunding",
}
UNDONE = frozenset({"voided", "refunded", "closed"})
ENDED = UNDONE | {"declined", "lost"}
PUBLIC: dict[str, str] = {"charging": "authorizing", "capturing": "authorized", "capture_refused": "authorized"}
SHOWN = frozenset({"captured", "voided", "refunded", "lost"})
NOTHING: dict[str, Any] = {"status": "none", "amount": 0}
MOST_CARDS = 20
"""Declined cards of one session: each is a call to the provider and stays recorded (security S5)."""
TOO_MANY_CARDS = f"{MOST_CARDS} cards were declined in this session, it takes no other: open a new one"


@dataclass(frozen=True, slots=True)
class Payment:
    """What one session pays. Amounts in minor units, moments in ms; `tries` counts the calls ever made of it.

    `collects`: an invoice, authorised and captured at once. `brought`: the session brought its token along.
    `undo_asked`, `overdue`: ShopManager asked to undo it, or to write it off. The last four amounts are what the
    provider has confirmed.
    """

    session: str
    step: str
    reference: str
    status: PaymentStatus
    amount: int
    currency: str
    secret_sha256: str
    deadline: int | None
    collects: bool = False
    brought: bool = False
    token: str | None = None
    brand: str | None = None
    last4: str | None = None
    declined: str | None = None
    tries: int = 0
    calling: str | None = None
    capture_step: str | None = None
    undo_asked: bool = False
    overdue: bool = False
    late: bool = False
    authorized: int = 0
    captured: int = 0
    voided: int = 0
    refunded: int = 0


@dataclass(frozen=True, slots=True)
class TrailEntry:
    """One line of a payment's trail (store.payment_trail): what happened to the money, for people to read."""

    what: str
    amount: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Transition:
    """What changes. `drops` is the key of a call that is given up; `hurries` of one to be sent again at once."""

    payment: Payment
    call: Call | None = None
    drops: str | None = None
    hurries: str | None = None
    trail: tuple[TrailEntry, ...] = ()


def reference_of(session: str) -> str:
    """`clk_0193…` → `pay_0193…`: the same every time, so that no crash makes two of them."""
    return f"pay_{session.removeprefix('clk_')}"


def ask(payment: Payment, kind: CallKind, token: str | None = None) -> Transition:
    """A new call: recorded now, handed to the provider after the commit."""
    number = payment.tries + 1
    key = f"{payment.session}/payment/{kind}/{number}"
    token = token or payment.token
    declined = None if kind in ("authorize", "charge") else payment.declined
    amount = payment.captured - payment.refunded if kind == "refund" else payment.amount
    asked = replace(payment, status=ASKING[kind], tries=number, calling=key, token=token, declined=declined)
    return Transition(asked, Call(key, kind, payment.reference, amount, payment.currency, token))


def pay(payment: Payment, token: str, now: int) -> Transition | Refused:
    """The customer pays: a new try if it is the customer's turn, nothing more if the money is on its way or here.

    While one card is asked another one is neither tried nor kept: the first may be declined yet.
    """
    if payment.status in ("authorizing", "charging") and token != payment.token:
        return Refused("payment_in_flight", "another card is being asked, this one was not tried: wait for its answer")
    if payment.status in ("authorizing", "charging", "authorized", "capturing", "capture_refused", "captured"):
        return Transition(payment)
    return _takes_no_card(payment, now) or ask(payment, "charge" if payment.collects else "authorize", token)


def _takes_no_card(payment: Payment, now: int) -> Refused | None:
    if has_too_many_cards(payment) and payment.status in ("declined", "closed"):
        return Refused("too_many_cards", TOO_MANY_CARDS)
    if payment.status != "waiting" or payment.overdue:
        return Refused("session_ended", "this payment has ended, nothing was charged: open a new session")
    if payment.deadline is not None and now >= payment.deadline:
        return Refused("session_ended", "the time to pay is over, nothing was charged: open a new session")
    if has_too_many_cards(payment):
        return Refused("too_many_cards", TOO_MANY_CARDS)
    return None


def capture(payment: Payment, step: str) -> Transition:
    """Take the authorised money; anything else than an authorised payment stays as it is."""
    if payment.status != "authorized":
        return Transition(payment)
    return ask(replace(payment, capture_step=step), "capture")


def call_off(payment: Payment) -> Transition:
    """Undo: whatever was authorised or taken goes back, also when we do not know whether it was (U2)."""
    payment = replace(payment, undo_asked=True)
    match payment.status:
        case "waiting" | "declined":
            return Transition(
                replace(payment, status="closed"), trail=(TrailEntry("closed", 0, "nothing was authorised"),)
            )
        case "authorizing" | "charging" | "authorized" | "capturing" | "capture_refused":
            return replace(ask(payment, "void"), drops=payment.calling)
        case "captured":
            return ask(payment, "refund")
        case "return_refused":
            return ask(payment, "refund" if payment.captured > payment.refunded else "void")
        case "voiding" | "refunding":
            return Transition(payment, hurries=payment.calling)
    return Transition(payment)


def write_off(payment: Payment) -> Transition:
    """The invoice's time is over: lost, unless a charge is under way, whose answer then decides."""
    if payment.status == "waiting":
        return _lost(replace(payment, overdue=True))
    return Transition(replace(payment, overdue=True))


def answered(payment: Payment, call: Call, answer: ProviderAnswer, now: int) -> Transition:
    """What follows from a clear answer (approved or declined) to a call that had none so far."""
    if call.key != payment.calling:
        return _late(payment, call, answer)
    payment = replace(payment, calling=None)
    if answer.outcome == "approved":
        return _approved(payment, call, answer, now)
    return _declined(payment, call, answer)


def section(payment: Payment) -> dict[str, Any]:
    """The payment's keys in the Clerk document (docs/design/processes.md)."""
    shown = PUBLIC.get(payment.status, payment.status)
    if shown != "authorized" and shown not in SHOWN:
        return NOTHING
    content: dict[str, Any] = {"status": shown, "amount": payment.amount, "reference": payment.reference}
    if payment.brand:
        content["card"] = card(payment)
    if payment.late:
        content["late"] = True
    return content


def under_way(payment: Payment) -> dict[str, Any] | None:
    """What is reported while the provider is asked to authorise or charge; None when it is not (M9)."""
    if payment.status not in ("authorizing", "charging"):
        return None
    return {"status": "authorizing", "amount": payment.amount}


def waits_again(payment: Payment, now: int) -> dict[str, Any] | None:
    """What is reported when a card was declined at `now` and the payment waits on; None otherwise (M9).

    An invoice waits for its due time also when it takes no other card.
    """
    if payment.status != "waiting" or not payment.declined:
        return None
    refusal = no_card(payment)
    return {**NOTHING, "last_error": {"code": refusal.code, "detail": refusal.detail, "at": to_wire(now)}}


def has_too_many_cards(payment: Payment) -> bool:
    """Was the last card that this session may try declined?"""
    return payment.tries >= MOST_CARDS and payment.declined is not None


def no_card(payment: Payment) -> Refused:
    """Why the payment has no card now: its last one was declined, perhaps the last that is taken at all."""
    if has_too_many_cards(payment):
        return Refused("too_many_cards", TOO_MANY_CARDS)
    return Refused("card_declined", payment.declined or "the card was declined")


def card(payment: Payment) -> dict[str, str | None] | None:
    return {"brand": payment.brand, "last4": payment.last4} if payment.brand else None


def _approved(payment: Payment, call: Call, answer: ProviderAnswer, now: int) -> Transition:
    match call.kind:
        case "authorize":
            payment = replace(_moved(payment, call, answer), status="authorized")
            return Transition(payment, trail=(TrailEntry("authorized", payment.amount),))
        case "charge":
            late = payment.overdue or (payment.deadline is not None and now >= payment.deadline)
            payment = replace(_moved(payment, call, answer), status="captured", late=late)
            trail = TrailEntry("captured", payment.amount, "paid late" if late else "")
            return Transition(payment, trail=(TrailEntry("authorized", payment.amount), trail))
        case "capture":
            payment = replace(_moved(payment, call, answer), status="captured")
            return Transition(payment, trail=(TrailEntry("captured", payment.amount),))
        case "void":
            return _voided(payment, answer)
        case "refund":
            amount = call.amount if answer.amount is None else answer.amount
            payment = replace(payment, status="refunded", refunded=payment.refunded + amount)
            return Transition(payment, trail=(TrailEntry("refunded", amount),))


def _declined(payment: Payment, call: Call, answer: ProviderAnswer) -> Transition:
    match call.kind:
        case "authorize" | "charge":
            return _card_declined(payment, answer.reason or "the card was declined")
        case "capture":
            reason = answer.reason or "the provider refused to capture"
            refused = replace(payment, status="capture_refused", declined=reason)
            return Transition(refused, trail=(TrailEntry("capture_refused", payment.amount, reason),))
        case "void" if answer.amount:
            taken = replace(payment, authorized=max(payment.authorized, answer.amount), captured=answer.amount)
            return _with_trail(ask(taken, "refund"), TrailEntry("captured", answer.amount, "taken before the void"))
    refused = replace(payment, status="return_refused", declined=answer.reason)
    return Transition(refused, trail=(TrailEntry(f"{call.kind}_refused", call.amount, answer.reason),))


def _card_declined(payment: Payment, reason: str) -> Transition:
    """Where the decline leads: with a token that the session brought, or the last card that is taken, to `declined`,
    which `handlers.result_for` turns into a refusal, and ShopManager's saga/replies.py turns the order around. By hand,
    and for an invoice, which refuses nothing: back to `waiting`.
    """
    entry = TrailEntry("declined", payment.amount, reason)
    payment = replace(payment, declined=reason, token=None)
    if payment.overdue:
        return _with_trail(_lost(payment), entry)
    if (payment.brought or has_too_many_cards(payment)) and not payment.collects:
        return Transition(replace(payment, status="declined"), trail=(entry,))
    return Transition(replace(payment, status="waiting"), trail=(entry,))


def _late(payment: Payment, call: Call, answer: ProviderAnswer) -> Transition:
    """An answer to a call that we had given up: money that moved after the end goes back by itself (E1)."""
    if answer.outcome == "declined" or call.kind in ("void", "refund"):
        return Transition(
            payment, trail=(TrailEntry(f"late_{answer.outcome}", call.amount, f"{call.kind}: {answer.reason}"),)
        )
    before = payment
    payment = _moved(payment, call, answer)
    entry = TrailEntry("late_approved", payment.amount, f"{call.kind} answered after it was called off: goes back")
    if before.status not in ENDED:  # the void under way at the provider will release it
        return Transition(payment, trail=(entry,))
    if payment.captured > payment.refunded:
        return _with_trail(ask(payment, "refund"), entry)
    if payment.authorized > payment.voided + payment.captured:
        return _with_trail(ask(payment, "void"), entry)
    # The void's answer already included this amount; the document ended without a card: keep it so (I14).
    return Transition(replace(payment, brand=before.brand, last4=before.last4), trail=(entry,))


def _moved(payment: Payment, call: Call, answer: ProviderAnswer) -> Payment:
    """The money that an approved authorisation, charge or capture has moved."""
    card = answer.card
    return replace(
        payment,
        brand=card.brand if card else payment.brand,
        last4=card.last4 if card else payment.last4,
        authorized=payment.amount,
        captured=payment.captured if call.kind == "authorize" else payment.amount,
    )


def _voided(payment: Payment, answer: ProviderAnswer) -> Transition:
    """The void's answer also tells of an authorisation whose own answer never reached us."""
    known = payment.authorized - payment.captured - payment.voided
    amount = known if answer.amount is None else answer.amount
    note = "its authorisation was never answered" if amount > known else ""
    voided = payment.voided + amount
    authorized = max(payment.authorized, voided)
    status: PaymentStatus = "voided" if authorized else "closed"
    payment = replace(payment, status=status, voided=voided, authorized=authorized)
    return Transition(
        payment, trail=(TrailEntry("voided", amount, note) if authorized else TrailEntry("closed", 0, "fenced"),)
    )


def _lost(payment: Payment) -> Transition:
    return Transition(replace(payment, status="lost"), trail=(TrailEntry("lost", payment.amount, "not paid in time"),))


def _with_trail(transition: Transition, entry: TrailEntry) -> Transition:
    return replace(transition, trail=(entry, *transition.trail))
