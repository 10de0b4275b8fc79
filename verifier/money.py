"""Pure: a Clerk, its payment and the provider's ledger agree about the money (I3, I7, I14)."""

from __future__ import annotations

from collections.abc import Iterator

from domain.document import part
from payment_service.facts import LedgerFacts, MoneyFacts
from payment_service.ledger import Sums
from verifier.compare import differences
from verifier.facts import Facts
from verifier.repairs import BY_HAND, RESTORED, undo_at
from verifier.violation import Violation

NAMES = ("authorized", "captured", "voided", "refunded")


def check_money(facts: Facts) -> Iterator[Violation]:
    payment, ledger = facts.services.payment.payment, facts.services.payment.ledger
    if payment is None:
        asked = "done" in (facts.state_of("AuthorizePayment"), facts.state_of("CollectPayment"))
        if asked and part(facts.saga.document, "order").get("total") != 0:
            yield Violation("I3", facts.id, "payment has the Clerk's payment", "it has none", RESTORED)
        return
    yield from _at_most_once(facts, payment, ledger)
    yield from _agrees_with_ledger(facts, payment, ledger.sums)
    settled = not facts.asks("payment") and not payment.calling
    if settled:
        yield from _balances(facts, payment)
    if settled and not _moved_after_the_end(facts, payment):
        yield from _agrees_with_document(facts, payment)


def _at_most_once(facts: Facts, payment: MoneyFacts, ledger: LedgerFacts) -> Iterator[Violation]:
    """I7: at most one effect, and only under keys that were recorded before they were used."""
    for name in ("authorized", "captured"):
        if getattr(ledger.sums, name) > payment.amount:
            expected = f"at most {payment.amount} is {name} with the provider"
            yield Violation("I7", facts.id, expected, f"{getattr(ledger.sums, name)} is", BY_HAND)
    for key in ledger.unknown:
        expected = "the provider is only asked under recorded keys"
        yield Violation("I7", facts.id, expected, f"its book has {key!r}", RESTORED)


def _agrees_with_ledger(facts: Facts, payment: MoneyFacts, provider: Sums) -> Iterator[Violation]:
    for name in NAMES:
        ours, theirs = getattr(payment.sums, name), getattr(provider, name)
        if type(ours) is not int:
            yield Violation("I3", facts.id, f"{name} in whole minor units", f"{ours!r}", BY_HAND)
        if ours != theirs and not (payment.calling and ours < theirs):
            yield Violation(
                "I3", facts.id, f"{name}, in the provider's book: {theirs}", f"at payment: {ours}", RESTORED
            )


def _balances(facts: Facts, payment: MoneyFacts) -> Iterator[Violation]:
    """What the payment and the provider's ledger must come to, each by itself."""
    for place, sums in (("payment", payment.sums), ("the provider", facts.services.payment.ledger.sums)):
        yield from _balance(facts, payment, place, sums)


def _balance(facts: Facts, payment: MoneyFacts, place: str, sums: Sums) -> Iterator[Violation]:
    kept, held = sums.captured - sums.refunded, sums.authorized - sums.captured - sums.voided
    due, open_amount = _due(facts)
    if (kept, held) == (due, open_amount):
        return
    repair = BY_HAND
    if (due, open_amount) == (0, 0) and not payment.undone:
        repair = undo_at(facts, "payment")
    expected = f"{due} taken and {open_amount} authorised: the Clerk is {_progress(facts)}"
    yield Violation("I3", facts.id, expected, f"{kept} taken and {held} authorised, at {place}", repair)


def _due(facts: Facts) -> tuple[int, int]:
    """(money that is ours, money that is authorised and open), in minor units."""
    total = part(facts.saga.document, "order").get("total") or 0
    lost = part(facts.saga.document, "payment").get("status") == "lost"
    if facts.failed or lost:
        return 0, 0
    if "done" in (facts.state_of("CapturePayment"), facts.state_of("CollectPayment")):
        return total, 0
    return (0, total) if facts.state_of("AuthorizePayment") == "done" else (0, 0)


def _progress(facts: Facts) -> str:
    steps = ("CapturePayment", "CollectPayment", "AuthorizePayment")
    states = [f"{command} {state}" for command in steps if (state := facts.state_of(command)) not in ("none", "to_do")]
    return f"{facts.saga.status}, {states[0] if states else 'nothing asked of payment'}"


def _moved_after_the_end(facts: Facts, payment: MoneyFacts) -> bool:
    """E1: money that moved after the end goes back by itself; the document stays as it ended."""
    return facts.failed and payment.undone and payment.updated_at > facts.ended_at


def _agrees_with_document(facts: Facts, payment: MoneyFacts) -> Iterator[Violation]:
    document = facts.saga.document
    if not {facts.state_of(command) for command in ("AuthorizePayment", "CollectPayment")} & {"done", "undone"}:
        return
    yield from differences(facts, "payment", "payment", part(document, "payment"), payment.section)
    head = part(document, "clerk")
    expected: dict[str, object] = {"currency": head.get("currency"), "secret_sha256": head.get("secret_sha256")}
    found: dict[str, object] = {"currency": payment.currency, "secret_sha256": payment.secret_sha256}
    if facts.state_of("StartShopping") == "done":
        expected["amount"], found["amount"] = part(document, "order").get("total"), payment.amount
    yield from differences(facts, "payment", "clerk", expected, found)
