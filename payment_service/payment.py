"""The rules of a payment, pure: what may follow what, whatever the order in which people, commands and answers come.

A payment has at most one call to the provider that counts (`calling`). Each rule returns a `Move`: the payment as it
is now, the next call if there is one, and what goes into the trail.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from domain.refusals import Refused
from payment_service.provider import Answer, Call, Kind

Status = Literal[
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
    "declined",  # a session that brought its token has one try
    "lost",  # an invoice that was not paid in time
]
ASKING: dict[Kind, Status] = {
    "authorize": "authorizing",
    "charge": "charging",
    "capture": "capturing",
    "void": "voiding",
    "refund": "refunding",
}
IN_FLIGHT = frozenset(ASKING.values())
UNDONE = frozenset({"voided", "refunded", "closed"})
ENDED = UNDONE | {"declined", "lost"}
PUBLIC: dict[str, str] = {"charging": "authorizing", "capturing": "authorized", "capture_refused": "authorized"}
SHOWN = frozenset({"captured", "voided", "refunded", "lost"})
NOTHING: dict[str, Any] = {"status": "none", "amount": 0}


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
    status: Status
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
class Entry:
    """One line of the trail."""

    what: str
    amount: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Move:
    """What a rule changes. `drops` is the key of a call that is given up; `hurries` of one to be sent again at once."""

    payment: Payment
    call: Call | None = None
    drops: str | None = None
    hurries: str | None = None
    trail: tuple[Entry, ...] = ()


def reference_of(session: str) -> str:
    """`clk_0193…` → `pay_0193…`: the same every time, so that no crash makes two of them."""
    return f"pay_{session.removeprefix('clk_')}"


def ask(payment: Payment, kind: Kind, token: str | None = None) -> Move:
    """A new intention: recorded now, handed to the provider after the commit."""
    number = payment.tries + 1
    key = f"{payment.session}/payment/{kind}/{number}"
    token = token or payment.token
    declined = None if kind in ("authorize", "charge") else payment.declined
    amount = payment.captured - payment.refunded if kind == "refund" else payment.amount
    asked = replace(payment, status=ASKING[kind], tries=number, calling=key, token=token, declined=declined)
    return Move(asked, Call(key, kind, payment.reference, amount, payment.currency, token))


def pay(payment: Payment, token: str, now: int) -> Move | Refused:
    """The customer pays: a new try if it is the customer's turn, nothing more if the money is on its way or here."""
    if payment.status in ("authorizing", "charging", "authorized", "capturing", "capture_refused", "captured"):
        return Move(payment)
    if payment.status != "waiting" or payment.overdue:
        return Refused("session_ended", "this payment has ended; nothing was charged")
    if payment.deadline is not None and now >= payment.deadline:
        return Refused("session_ended", "the time to pay is over; nothing was charged")
    return ask(payment, "charge" if payment.collects else "authorize", token)


def capture(payment: Payment, step: str) -> Move:
    """Take the authorised money; anything else than an authorised payment stays as it is."""
    if payment.status != "authorized":
        return Move(payment)
    return ask(replace(payment, capture_step=step), "capture")


def call_off(payment: Payment) -> Move:
    """Undo: whatever was authorised or taken goes back, also when we do not know whether it was (U2)."""
    payment = replace(payment, undo_asked=True)
    match payment.status:
        case "waiting" | "declined":
            return Move(replace(payment, status="closed"), trail=(Entry("closed", 0, "nothing was authorised"),))
        case "authorizing" | "charging" | "authorized" | "capturing" | "capture_refused":
            return replace(ask(payment, "void"), drops=payment.calling)
        case "captured":
            return ask(payment, "refund")
        case "return_refused":
            return ask(payment, "refund" if payment.captured > payment.refunded else "void")
        case "voiding" | "refunding":
            return Move(payment, hurries=payment.calling)
    return Move(payment)


def write_off(payment: Payment) -> Move:
    """The invoice's time is over: lost, unless a charge is under way, whose answer then decides."""
    if payment.status == "waiting":
        return _lost(replace(payment, overdue=True))
    return Move(replace(payment, overdue=True))


def answered(payment: Payment, call: Call, answer: Answer, now: int) -> Move:
    """What follows from a clear answer (approved or declined) to a call that had none so far."""
    if call.key != payment.calling:
        return _late(payment, call, answer)
    payment = replace(payment, calling=None)
    if answer.outcome == "approved":
        return _approved(payment, call, answer, now)
    return _declined(payment, call, answer)


def section(payment: Payment) -> dict[str, Any]:
    """The payment's keys in the Clerk document (processes.md)."""
    shown = PUBLIC.get(payment.status, payment.status)
    if shown != "authorized" and shown not in SHOWN:
        return NOTHING
    content: dict[str, Any] = {"status": shown, "amount": payment.amount, "reference": payment.reference}
    if payment.brand:
        content["card"] = card(payment)
    if payment.late:
        content["late"] = True
    return content


def card(payment: Payment) -> dict[str, str | None] | None:
    return {"brand": payment.brand, "last4": payment.last4} if payment.brand else None


def _approved(payment: Payment, call: Call, answer: Answer, now: int) -> Move:
    match call.kind:
        case "authorize":
            payment = replace(_moved(payment, call, answer), status="authorized")
            return Move(payment, trail=(Entry("authorized", payment.amount),))
        case "charge":
            late = payment.overdue or (payment.deadline is not None and now >= payment.deadline)
            payment = replace(_moved(payment, call, answer), status="captured", late=late)
            trail = Entry("captured", payment.amount, "paid late" if late else "")
            return Move(payment, trail=(Entry("authorized", payment.amount), trail))
        case "capture":
            payment = replace(_moved(payment, call, answer), status="captured")
            return Move(payment, trail=(Entry("captured", payment.amount),))
        case "void":
            return _voided(payment, answer)
        case "refund":
            amount = call.amount if answer.amount is None else answer.amount
            payment = replace(payment, status="refunded", refunded=payment.refunded + amount)
            return Move(payment, trail=(Entry("refunded", amount),))


def _declined(payment: Payment, call: Call, answer: Answer) -> Move:
    match call.kind:
        case "authorize" | "charge":
            return _card_declined(payment, answer.reason or "the card was declined")
        case "capture":
            reason = answer.reason or "the provider refused to capture"
            refused = replace(payment, status="capture_refused", declined=reason)
            return Move(refused, trail=(Entry("capture_refused", payment.amount, reason),))
        case "void" if answer.amount:
            taken = replace(payment, authorized=max(payment.authorized, answer.amount), captured=answer.amount)
            return _with_trail(ask(taken, "refund"), Entry("captured", answer.amount, "taken before the void"))
    refused = replace(payment, status="return_refused", declined=answer.reason)
    return Move(refused, trail=(Entry(f"{call.kind}_refused", call.amount, answer.reason),))


def _card_declined(payment: Payment, reason: str) -> Move:
    entry = Entry("declined", payment.amount, reason)
    payment = replace(payment, declined=reason, token=None)
    if payment.overdue:
        return _with_trail(_lost(payment), entry)
    if payment.brought and not payment.collects:
        return Move(replace(payment, status="declined"), trail=(entry,))
    return Move(replace(payment, status="waiting"), trail=(entry,))


def _late(payment: Payment, call: Call, answer: Answer) -> Move:
    """An answer to a call that we had given up: money that moved after the end goes back by itself (E1)."""
    if answer.outcome == "declined" or call.kind in ("void", "refund"):
        return Move(payment, trail=(Entry(f"late_{answer.outcome}", call.amount, f"{call.kind}: {answer.reason}"),))
    before = payment
    payment = _moved(payment, call, answer)
    entry = Entry("late_approved", payment.amount, f"{call.kind} answered after it was called off: goes back")
    if before.status not in ENDED:  # the void that is under way finds it
        return Move(payment, trail=(entry,))
    if payment.captured > payment.refunded:
        return _with_trail(ask(payment, "refund"), entry)
    if payment.authorized > payment.voided + payment.captured:
        return _with_trail(ask(payment, "void"), entry)
    as_told = replace(payment, brand=before.brand, last4=before.last4)  # the document has ended without the card (I14)
    return Move(as_told, trail=(entry,))  # the void's own answer had already told of the money


def _moved(payment: Payment, call: Call, answer: Answer) -> Payment:
    """The money that an approved authorisation, charge or capture has moved."""
    card = answer.card
    return replace(
        payment,
        brand=card.brand if card else payment.brand,
        last4=card.last4 if card else payment.last4,
        authorized=payment.amount,
        captured=payment.captured if call.kind == "authorize" else payment.amount,
    )


def _voided(payment: Payment, answer: Answer) -> Move:
    """The void's answer also tells of an authorisation whose own answer never reached us."""
    known = payment.authorized - payment.captured - payment.voided
    amount = known if answer.amount is None else answer.amount
    note = "its authorisation was never answered" if amount > known else ""
    voided = payment.voided + amount
    authorized = max(payment.authorized, voided)
    status: Status = "voided" if authorized else "closed"
    payment = replace(payment, status=status, voided=voided, authorized=authorized)
    return Move(payment, trail=(Entry("voided", amount, note) if authorized else Entry("closed", 0, "fenced"),))


def _lost(payment: Payment) -> Move:
    return Move(replace(payment, status="lost"), trail=(Entry("lost", payment.amount, "not paid in time"),))


def _with_trail(move: Move, entry: Entry) -> Move:
    return replace(move, trail=(entry, *move.trail))
