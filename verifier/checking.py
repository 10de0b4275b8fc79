"""`check`: every invariant that databases can show, Clerk by Clerk and page by page, also while the shop is running.

The five databases are never read at the same moment. Where a Clerk looks wrong it is looked at again a little later:
a drift counts only if it is there twice with the same revision of the Clerk, which means that nothing has moved.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic, sleep

from fulfillment_service import audit as fulfillment_audit
from risk_service import audit as risk_audit
from shop_manager import audit as manager_audit
from shop_manager.audit import PulseFacts
from verifier.credit import check_credit, check_limits
from verifier.drift import Drift
from verifier.facts import Databases, Facts, gather, pages
from verifier.goods import check_goods, check_stock
from verifier.history import check_history
from verifier.messages import check_messages, check_parked
from verifier.money import check_money
from verifier.orders import check_order
from verifier.parts import check_parts
from verifier.reasons import check_reasons
from verifier.remedies import BY_HAND
from verifier.secrecy import check_secrecy
from verifier.strangers import check_strangers
from verifier.told import check_told

PAGE = 400
"""Clerks in hand at a time."""
PATIENCE = 0.5
"""Seconds between two looks at a Clerk that looks wrong."""
AT_REST_MS = 60_000
"""A Clerk that has ended so long ago moves no more: it is looked at again at once."""
LOOKS = 6
"""How often a Clerk that moves between two looks is looked at again."""
ALWAYS: Sequence[Callable[[Facts], Iterator[Drift]]] = (check_history, check_reasons, check_parts)
OF_SERVICES: Mapping[str, Callable[[Facts], Iterator[Drift]]] = {
    "shop": check_order,
    "risk": check_credit,
    "fulfillment": check_goods,
    "payment": check_money,
}
DAMAGED = (KeyError, TypeError, ValueError, AttributeError)
"""What a rule meets in a document or history that is not what it should be."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """A Clerk that looked wrong at `revision`; look again from `again_at` on, in monotonic seconds."""

    clerk: str
    revision: int
    drifts: tuple[Drift, ...]
    again_at: float


def check(
    databases: Databases,
    now: int | None = None,
    *,
    expected_parked: Collection[str] | None = None,
    secrets: Sequence[str] | None = None,
    patience: float = PATIENCE,
    progress: Callable[[int], None] = lambda checked: None,
) -> Iterator[Drift]:
    """Every drift there is, as it is found. Reads only, in short transactions, and keeps one page of Clerks in memory.

    `databases`: by service (shop_manager, shop, risk, payment, fulfillment). `now` in ms, None for ShopManager's
    database's. `expected_parked`: the ids of exactly those messages that may be parked (I15), None not to ask.
    `secrets`: what must stand nowhere, beside card numbers (I16), None not to look. `patience`: seconds between two
    looks, 0 where nothing runs. `progress` is told how many Clerks are done.
    """
    done = 0
    for ids in pages(databases, "shop_manager", PAGE):
        yield from check_clerks(databases, ids, now, patience=patience)
        done += len(ids)
        progress(done)
    yield from check_sums(databases)
    yield from check_strangers(databases)
    yield from check_messages(databases, pulse_of(databases, now))
    yield from check_told(databases)
    if expected_parked is not None:
        yield from check_parked(databases, expected_parked)
    if secrets is not None:
        yield from check_secrecy(databases, secrets)


def check_clerks(
    databases: Databases, ids: Sequence[str], now: int | None = None, *, patience: float = PATIENCE
) -> Iterator[Drift]:
    """The drifts of some Clerks, at most a page of them."""
    yield from confirmed(databases, look(databases, ids, now, patience), now, patience)


def look(databases: Databases, ids: Sequence[str], now: int | None, patience: float) -> list[Suspect]:
    """Those of the Clerks that look wrong."""
    gathered = gather(databases, ids, now)
    suspects = []
    for clerk in gathered.broken:
        drift = Drift("I9", clerk.id, "a stored state that can be read", clerk.broken or "", BY_HAND)
        suspects.append(Suspect(clerk.id, clerk.revision, (drift,), monotonic() + patience))
    for facts in gathered.facts:
        drifts = tuple(judge(facts))
        if drifts:
            at_rest = facts.saga.ended and facts.pulse.now - facts.saga.updated_at > AT_REST_MS
            again_at = monotonic() + (0 if at_rest else patience)
            suspects.append(Suspect(facts.id, facts.clerk.revision, drifts, again_at))
    return suspects


def judge(facts: Facts) -> Iterator[Drift]:
    """All rules about one Clerk. Pure. Where an operator has answered for a service, its rows are left out (O2)."""
    rules = list(ALWAYS)
    if facts.process is not None or facts.failed:
        settled = facts.settled
        rules += [rule for service, rule in OF_SERVICES.items() if service not in settled]
    for rule in rules:
        try:
            yield from rule(facts)
        except DAMAGED as error:
            found = f"it cannot be read: {type(error).__name__}: {error}"[:200]
            yield Drift("I9", facts.id, "a Clerk whose document and history are whole", found, BY_HAND)


def confirmed(databases: Databases, suspects: Sequence[Suspect], now: int | None, patience: float) -> Iterator[Drift]:
    """What is there again, the Clerk being as it was; one that has moved meanwhile is looked at once more."""
    before = {suspect.clerk: suspect for suspect in suspects}
    for _ in range(LOOKS):
        if not before:
            return
        _wait_until(max(suspect.again_at for suspect in before.values()))
        moved: dict[str, Suspect] = {}
        for again in look(databases, sorted(before), now, patience):
            first = before[again.clerk]
            if again.revision != first.revision:
                moved[again.clerk] = again
                continue
            yield from (drift for drift in first.drifts if drift in again.drifts)
        before = moved


def _wait_until(moment: float) -> None:
    left = moment - monotonic()
    if left > 0:
        sleep(left)


def check_sums(databases: Databases) -> Iterator[Drift]:
    """Sums over many Clerks, each from one consistent picture of one database."""
    with databases["fulfillment"].read() as tx:
        stock = fulfillment_audit.read_stock_facts(tx)
    yield from check_stock(stock)
    with databases["risk"].read() as tx:
        overdrawn = risk_audit.overdrawn(tx)
    yield from check_limits(overdrawn)


def pulse_of(databases: Databases, now: int | None) -> PulseFacts:
    with databases["shop_manager"].read() as tx:
        pulse = manager_audit.pulse(tx)
    return pulse if now is None else PulseFacts(now, pulse.beat_at, pulse.outage_end)
