"""I5, I6 and I14 of credit, pure: what is reserved is reserved for live Clerks, and within the limit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from domain.document import part
from risk_service.audit import HeldFacts, OverdrawnFacts
from risk_service.store import guest_account
from verifier.compare import differences
from verifier.drift import Drift
from verifier.facts import Facts
from verifier.remedies import BY_HAND, RELEASE_CREDIT, RESTORED, undo_at


def check_credit(facts: Facts) -> Iterator[Drift]:
    risk = facts.services.risk
    credit, settle = facts.state_of("ReserveCredit"), facts.state_of("SettleCredit")
    if facts.failed or credit in ("undone", "refused", "to_do"):
        yield from _nothing_left(facts)
    elif settle == "done":
        if risk.reservation:
            found = f"{risk.reservation.amount} is still reserved"
            repair = RELEASE_CREDIT if risk.settlement and facts.saga.ended else RESTORED
            yield Drift("I5", facts.id, "credit is free again when it is settled", found, repair)
        yield from _agrees(facts, risk.settlement, "settled")
    elif credit == "done" and not facts.asks("risk"):
        if risk.settlement:
            yield Drift("I5", facts.id, "nothing is settled before it is asked", "it is settled", RESTORED)
        yield from _agrees(facts, risk.reservation, "reserved")
    elif credit == "done" and not (risk.reservation or risk.settlement):
        yield Drift("I5", facts.id, "credit is reserved until it is settled", "none is", RESTORED)


def _nothing_left(facts: Facts) -> Iterator[Drift]:
    risk = facts.services.risk
    if risk.reservation:
        repair = undo_at(facts, "risk")
        found = f"{risk.reservation.amount} is reserved for {risk.reservation.customer}"
        yield Drift("I5", facts.id, f"no credit is reserved: the Clerk is {facts.saga.status}", found, repair)
    if risk.settlement:
        found = f"{risk.settlement.amount} is settled for {risk.settlement.customer}"
        yield Drift("I6", facts.id, f"risk keeps nothing: the Clerk is {facts.saga.status}", found, BY_HAND)


def _agrees(facts: Facts, held: HeldFacts | None, status: str) -> Iterator[Drift]:
    if held is None:
        yield Drift("I5", facts.id, f"risk has the credit {status}", "it has none", RESTORED)
        return
    document = facts.saga.document
    told = part(document, "credit")
    expected = {
        "status": told.get("status"),
        "amount": told.get("amount"),
        "customer": part(document, "customer").get("id") or guest_account(facts.id),
    }
    found = {"status": status, "amount": held.amount, "customer": held.customer}
    yield from differences(facts, "risk", "credit", expected, found)
    total = part(document, "order").get("total")
    if held.amount != total:
        yield Drift("I5", facts.id, f"{status}: the order's total, {total}", f"{held.amount}", BY_HAND)


def check_limits(overdrawn: Iterable[OverdrawnFacts]) -> Iterator[Drift]:
    """The limit is never exceeded, also by parallel sessions. One that was lowered meanwhile shows the same."""
    for each in overdrawn:
        expected = f"{each.customer} holds and owes at most the limit, {each.limit}"
        found = f"{each.reserved} reserved and {each.outstanding} outstanding"
        repair = "by hand: let the orders end, or raise the limit again if it was lowered while they ran"
        yield Drift("I5", None, expected, found, repair)
