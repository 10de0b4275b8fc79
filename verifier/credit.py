"""Pure: credit is reserved for live Clerks only, as the Clerk says, and within the limit (I5, I6, I14)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from domain.document import part
from domain.money import amount
from risk_service.credit import guest_account
from risk_service.facts import HeldFacts, OverdrawnFacts
from verifier.compare import differences
from verifier.facts import Facts
from verifier.repairs import BY_HAND, RELEASE_CREDIT, RESTORED, Repair, undo_at
from verifier.violation import Violation


def check_credit(facts: Facts) -> Iterator[Violation]:
    risk = facts.services.risk
    credit, settle = facts.state_of("ReserveCredit"), facts.state_of("SettleCredit")
    if facts.failed or credit in ("undone", "refused", "to_do"):
        yield from _nothing_reserved(facts)
    elif settle == "done":
        if risk.reservation:
            found = f"{risk.reservation.amount} is still reserved"
            repair = RELEASE_CREDIT if risk.settlement and facts.saga.ended else RESTORED
            yield Violation("I5", facts.id, "credit is free again when it is settled", found, repair)
        yield from _agrees_with_document(facts, risk.settlement, "settled")
    elif credit == "done" and not facts.asks("risk"):
        if risk.settlement:
            yield Violation("I5", facts.id, "nothing is settled before it is asked", "it is settled", RESTORED)
        yield from _agrees_with_document(facts, risk.reservation, "reserved")
    elif credit == "done" and not (risk.reservation or risk.settlement):
        yield Violation("I5", facts.id, "credit is reserved until it is settled", "none is", RESTORED)


def _nothing_reserved(facts: Facts) -> Iterator[Violation]:
    risk = facts.services.risk
    if risk.reservation:
        repair = undo_at(facts, "risk")
        found = f"{risk.reservation.amount} is reserved for {risk.reservation.customer}"
        yield Violation("I5", facts.id, f"no credit is reserved: the Clerk is {facts.saga.status}", found, repair)
    if risk.settlement:
        found = f"{risk.settlement.amount} is settled for {risk.settlement.customer}"
        yield Violation("I6", facts.id, f"risk keeps nothing: the Clerk is {facts.saga.status}", found, BY_HAND)


def _agrees_with_document(facts: Facts, held: HeldFacts | None, status: str) -> Iterator[Violation]:
    if held is None:
        yield Violation("I5", facts.id, f"risk has the credit {status}", "it has none", RESTORED)
        return
    document = facts.saga.document
    section = part(document, "credit")
    expected = {
        "status": section.get("status"),
        "amount": section.get("amount"),
        "customer": part(document, "customer").get("id") or guest_account(facts.id),
    }
    found = {"status": status, "amount": held.amount, "customer": held.customer}
    if held.currency is not None:
        expected["currency"], found["currency"] = part(document, "clerk").get("currency"), held.currency
    yield from differences(facts, "risk", "credit", expected, found)
    total = part(document, "order").get("total")
    if held.amount != total:
        yield Violation("I5", facts.id, f"{status}: the order's total, {total}", f"{held.amount}", BY_HAND)


def check_limits(overdrawn: Iterable[OverdrawnFacts]) -> Iterator[Violation]:
    """No limit is ever exceeded, also by parallel sessions. One that was lowered meanwhile shows the same."""
    for each in overdrawn:
        expected = f"{each.customer} holds and owes at most the limit, {amount(each.limit, each.currency)}"
        held, owed = (amount(units, each.currency) for units in (each.reserved, each.outstanding))
        found = f"{held} reserved and {owed} outstanding"
        repair = Repair("by hand: let the orders end, or raise the limit again if it was lowered while they ran")
        yield Violation("I5", None, expected, found, repair)
