"""`check`: all invariants that databases can show, page by page of Clerks, also while the shop is running.

The five databases are never read at the same moment. So a Clerk that looks wrong is read again a little later: a
violation counts only if it is found twice with the same revision of the Clerk, which means that nothing has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic, sleep

from fulfillment_service import facts as fulfillment_facts
from risk_service import facts as risk_facts
from shop_manager import facts as manager_facts
from shop_manager.facts import HeartbeatFacts
from verifier.credit import check_credit, check_limits
from verifier.facts import Databases, Facts, gather, pages
from verifier.history import check_history
from verifier.idempotency_keys import check_idempotency_keys
from verifier.liveness import check_liveness, is_at_work
from verifier.messages import check_messages, check_parked
from verifier.money import check_money
from verifier.orders import check_order
from verifier.orphans import check_orphans
from verifier.repairs import BY_HAND
from verifier.second_process import SecondProcess
from verifier.secrecy import check_secrecy
from verifier.stock import check_shipment, check_stock
from verifier.turns import check_turns
from verifier.violation import Violation

PAGE = 400
"""Clerks that are read, and kept in memory, at a time."""
PATIENCE = 0.5
"""Seconds until a Clerk that looks wrong is read again."""
AT_REST_MS = 60_000
"""A Clerk that has ended so long ago does not change any more: it is read again at once."""
LATELY_MS = 1_000
"""Before the first page: whoever has done something since then is at work."""
MAX_READS = 6
"""How often a Clerk that changes meanwhile is read again."""
ALWAYS: Sequence[Callable[[Facts], Iterator[Violation]]] = (check_history, check_liveness, check_turns)
OF_SERVICES: Mapping[str, Callable[[Facts], Iterator[Violation]]] = {
    "shop": check_order,
    "risk": check_credit,
    "fulfillment": check_shipment,
    "payment": check_money,
}
DAMAGED = (KeyError, TypeError, ValueError, AttributeError)
"""What a rule raises at a document or history that is damaged."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """A Clerk that looked wrong at `revision`; read it again from `again_at` on, in monotonic seconds."""

    clerk: str
    revision: int
    violations: tuple[Violation, ...]
    again_at: float


def check(
    databases: Databases,
    now: int | None = None,
    *,
    expected_parked: Collection[str] | None = None,
    secrets: Sequence[str] | None = None,
    patience: float = PATIENCE,
    progress: Callable[[int], None] = lambda checked: None,
    pause: Callable[[float], None] = lambda spent: None,
    second: SecondProcess | None = None,
) -> Iterator[Violation]:
    """Every violation, as it is found. Reads only, in short transactions, and keeps one page of Clerks in memory.

    `databases`: by service (shop_manager, shop, risk, payment, fulfillment). `now` in ms, None: ShopManager's
    database says it. `expected_parked`: the ids of exactly those messages that may be parked (I15), None not to ask.
    `secrets`: what must stand nowhere, beside card numbers (I16), None not to look. `patience`: seconds until a Clerk
    is read again, 0 where nothing runs. `progress` is called with the number of Clerks that are done; `pause`, while
    the shop is busy, with the seconds that a page has just taken: it may let the shop go first. `second`: a process
    that checks every other page, by `check_clerks`, while the shop is not busy.
    """
    watch, done = _Watch(databases, now), 0
    given: Sequence[str] = ()
    for ids in pages(databases, "shop_manager", PAGE):
        began, busy = monotonic(), watch.is_busy()
        if second is not None and not given and not busy:
            second.give(ids)
            given = ids
            continue
        found = list(check_clerks(databases, ids, now, patience=patience))
        yield from second.take() if second and given else ()
        yield from found
        done += len(given) + len(ids)
        given = ()
        progress(done)
        if busy:
            pause(monotonic() - began)
    if second and given:
        yield from second.take()
        progress(done + len(given))
    yield from check_sums(databases)
    yield from check_orphans(databases)
    yield from check_messages(databases, heartbeat_of(databases, now))
    yield from check_idempotency_keys(databases)
    if expected_parked is not None:
        yield from check_parked(databases, expected_parked)
    if secrets is not None:
        yield from check_secrecy(databases, secrets)


def check_clerks(
    databases: Databases, ids: Sequence[str], now: int | None = None, *, patience: float = PATIENCE
) -> Iterator[Violation]:
    """The violations of some Clerks, at most a page of them."""
    yield from confirmed(databases, suspects_among(databases, ids, now, patience), now, patience)


def suspects_among(databases: Databases, ids: Sequence[str], now: int | None, patience: float) -> list[Suspect]:
    """Those of these Clerks that look wrong now."""
    gathered = gather(databases, ids, now)
    suspects = []
    for clerk in gathered.broken:
        violation = Violation("I9", clerk.id, "a stored state that can be read", clerk.broken or "", BY_HAND)
        suspects.append(Suspect(clerk.id, clerk.revision, (violation,), monotonic() + patience))
    for facts in gathered.facts:
        violations = tuple(violations_of(facts))
        if violations:
            at_rest = facts.saga.ended and facts.heartbeat.now - facts.saga.updated_at > AT_REST_MS
            again_at = monotonic() + (0 if at_rest else patience)
            suspects.append(Suspect(facts.id, facts.clerk.revision, violations, again_at))
    return suspects


def violations_of(facts: Facts) -> Iterator[Violation]:
    """All rules about one Clerk. Pure. Where an operator has answered for a service, its rows are not checked (O2)."""
    rules = list(ALWAYS)
    if facts.process is not None or facts.failed:
        settled = facts.settled
        rules += [rule for service, rule in OF_SERVICES.items() if service not in settled]
    for rule in rules:
        try:
            yield from rule(facts)
        except DAMAGED as error:
            found = f"it cannot be read: {type(error).__name__}: {error}"[:200]
            yield Violation("I9", facts.id, "a Clerk whose document and history are whole", found, BY_HAND)


def confirmed(
    databases: Databases, suspects: Sequence[Suspect], now: int | None, patience: float
) -> Iterator[Violation]:
    """The violations that are found again at the same revision; a Clerk that has changed is read once more."""
    before = {suspect.clerk: suspect for suspect in suspects}
    for _ in range(MAX_READS):
        if not before:
            return
        _wait_until(max(suspect.again_at for suspect in before.values()))
        changed: dict[str, Suspect] = {}
        for again in suspects_among(databases, sorted(before), now, patience):
            first = before[again.clerk]
            if again.revision != first.revision:
                changed[again.clerk] = again
                continue
            yield from (violation for violation in first.violations if violation in again.violations)
        before = changed


def _wait_until(moment: float) -> None:
    left = moment - monotonic()
    if left > 0:
        sleep(left)


class _Watch:
    """Looks whether the shop does anything."""

    def __init__(self, databases: Databases, now: int | None) -> None:
        self._databases, self._now = databases, now
        self._looked_at = heartbeat_of(databases, now).now - LATELY_MS

    def is_busy(self) -> bool:
        """Is ShopManager at work, and has it had anything to do since the last look?"""
        with self._databases["shop_manager"].read() as tx:
            busy = manager_facts.is_busy(tx, self._looked_at)
        heartbeat = heartbeat_of(self._databases, self._now)
        self._looked_at = heartbeat.now
        return busy and is_at_work(heartbeat)


def check_sums(databases: Databases) -> Iterator[Violation]:
    """Sums over many Clerks, each read in one transaction."""
    with databases["fulfillment"].read() as tx:
        stock = fulfillment_facts.read_stock_facts(tx)
    yield from check_stock(stock)
    with databases["risk"].read() as tx:
        overdrawn = risk_facts.overdrawn(tx)
    yield from check_limits(overdrawn)


def heartbeat_of(databases: Databases, now: int | None) -> HeartbeatFacts:
    with databases["shop_manager"].read() as tx:
        heartbeat = manager_facts.read_heartbeat(tx)
    return heartbeat if now is None else HeartbeatFacts(now, heartbeat.beat_at, heartbeat.outage_end)
