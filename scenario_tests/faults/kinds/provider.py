"""A payment provider that loses answers, gives them twice, changes them, keeps silent, or refuses voids and refunds.

Money is taken once and given back once all the same: `clerk verify` compares its ledger with the services' (I3, I7).
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from itertools import count

import httpx
from sqlalchemy import select, update

from payment_service.ledger import LedgerEntry
from payment_service.payment import reference_of
from payment_service.provider_webhooks import MEANS, sign
from payment_service.store import ledger
from scenario_tests.api_client import ApiClient, content_of
from scenario_tests.faults.environment import Environment
from scenario_tests.faults.fault import Fault, Injection
from scenario_tests.harness import PROVIDER_SECRET
from scenario_tests.order_under_test import OrderUnderTest
from scenario_tests.shop import PRICE, Shop
from scenario_tests.waiting import lasts, until

MANY = 8
LASTS = 4.0
SEEN_LIMIT = 30.0
PLAYED_IN = 12.0
_EVENT_TYPES: dict[str, str] = {kind: name for name, (kind, _) in MEANS.items() if kind is not None}
_numbers = count(1)


def _loses_answers(injection: Injection) -> None:
    with _song_shop(injection.environment) as songs:
        clerks = [songs.orders("tok_lost") for _ in range(MANY)]
        until(lambda: _entries(injection.environment, clerks) != [], "the provider has taken some money", SEEN_LIMIT)
        injection.fired(
            f"the provider authorised {len(_entries(injection.environment, clerks))} of {MANY} and lost its answers"
        )
        for clerk in clerks:
            clerk.becomes("completed")
        kinds = [entry.kind for entry in _entries(injection.environment, clerks)]
        assert (kinds.count("authorize"), kinds.count("capture")) == (MANY, MANY), kinds


def _keeps_silent(injection: Injection) -> None:
    with _song_shop(injection.environment) as songs:
        clerks = [songs.orders("tok_down") for _ in range(MANY)]
        until(lambda: all(each.payment()["status"] == "authorizing" for each in clerks), "all wait for it", SEEN_LIMIT)
        injection.fired(f"the provider keeps silent about {MANY} payments")
        for clerk in clerks:
            clerk.becomes("completed", limit=60.0)


def _answers_again(injection: Injection) -> None:
    """Each of its answers comes as a webhook too: the same one twice, then another one that says the same."""
    environment, told, known = injection.environment, 0, {entry.key for entry in _ledger(injection.environment)}
    injection.waits_for_work()
    for _ in range(int(LASTS)):
        fresh = [entry for entry in _ledger(environment) if entry.key not in known and entry.outcome == "approved"]
        known |= {entry.key for entry in fresh}
        for entry in fresh:
            for event in ("first", "first", "second"):
                _send_webhook(environment, _EVENT_TYPES[entry.kind], entry.key, event)
                told += 1
        lasts(1.0)
    assert told, "the provider had nothing to tell"
    injection.fired(f"{told} notices of what it had answered before")


def _changes_its_mind(injection: Injection) -> None:
    """It declines what it has approved: its first answer counts."""
    with _song_shop(injection.environment) as songs:
        clerks = [songs.orders("tok_ok") for _ in range(MANY)]
        until(lambda: len(_entries(injection.environment, clerks)) >= MANY, "the provider has answered", SEEN_LIMIT)
        for entry in _entries(injection.environment, clerks):
            _send_webhook(injection.environment, "payment.declined", entry.key, "changed")
        injection.fired(f"{MANY} payments declined after they were approved")
        for clerk in clerks:
            clerk.becomes("completed")


def _declines_late(injection: Injection) -> None:
    with _song_shop(injection.environment) as songs:
        clerks = [songs.orders("tok_down") for _ in range(MANY)]
        until(lambda: all(each.payment()["status"] == "authorizing" for each in clerks), "all wait for it", SEEN_LIMIT)
        injection.fired(f"{MANY} payments without an answer")
        for clerk in clerks:
            _send_webhook(injection.environment, "payment.declined", f"{clerk.id}/payment/authorize/1", "late")
            clerk.becomes("failed", because="card_declined")
        injection.evidence.append("all declined by a notice")
        assert not _entries(injection.environment, clerks)


def _will_not_void(injection: Injection) -> None:
    with _song_shop(injection.environment) as songs:
        with songs.authorised() as clerk:
            _will_refuse(injection.environment, clerk, "void", 2, 0)
            injection.fired("the provider will not void")
            clerk.cancels()
        clerk.becomes("canceled")
    kinds = [(entry.kind, entry.outcome) for entry in _entries(injection.environment, [clerk])]
    assert kinds == [("authorize", "approved"), ("void", "declined"), ("void", "approved")]


def _will_not_refund(injection: Injection) -> None:
    """It has charged what it should have authorised, so that a void comes too late; then it declines the refund."""
    with _song_shop(injection.environment) as songs:
        with songs.authorised() as clerk:
            _captured_at_once(injection.environment, clerk)
            _will_refuse(injection.environment, clerk, "refund", 3, PRICE)
            injection.fired("the provider has captured at once, and will not refund")
            clerk.cancels()
        clerk.becomes("canceled")
    kinds = sorted((entry.kind, entry.outcome) for entry in _entries(injection.environment, [clerk]))
    assert kinds == [("charge", "approved"), ("refund", "approved"), ("refund", "declined"), ("void", "declined")]


class _SongShop:
    """A shop of digital goods, whose orders end without a warehouse."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._branch = shop.branch("songs", kind="digital")
        shop.sells("SONG")

    def orders(self, token: str) -> OrderUnderTest:
        return self._shop.guest(token).orders({"SONG": 1}, shop=self._branch)

    @contextmanager
    def authorised(self) -> Iterator[OrderUnderTest]:
        """A session whose money is authorised; ShopManager gets that answer at the end of the block only."""
        with self._shop.holds_back_answer("AuthorizePayment") as held:
            clerk = self.orders("tok_ok")
            held.until_there(clerk.id)
            yield clerk


@contextmanager
def _song_shop(environment: Environment) -> Iterator[_SongShop]:
    api = ApiClient(environment.harness)
    yield _SongShop(Shop(environment.harness, api, f"provider{next(_numbers)}"))
    api.close()


def _ledger(environment: Environment) -> list[LedgerEntry]:
    with environment.harness.database("payment").read() as tx:
        return [LedgerEntry(**row) for row in tx.execute(select(ledger).order_by(ledger.c.at)).mappings()]


def _entries(environment: Environment, clerks: Sequence[OrderUnderTest]) -> list[LedgerEntry]:
    payments = {reference_of(clerk.id) for clerk in clerks}
    return [entry for entry in _ledger(environment) if entry.payment in payments]


def _will_refuse(environment: Environment, clerk: OrderUnderTest, kind: str, number: int, amount: int) -> None:
    """Make the provider decline the call of this key, before it is made."""
    key = f"{clerk.id}/payment/{kind}/{number}"
    with environment.harness.database("payment").begin() as tx:
        entry = LedgerEntry(key, reference_of(clerk.id), kind, amount, "EUR", "tok_ok", "declined", "not now", tx.now())
        tx.insert(ledger, [asdict(entry)])


def _captured_at_once(environment: Environment, clerk: OrderUnderTest) -> None:
    with environment.harness.database("payment").begin() as tx:
        tx.execute(update(ledger).where(ledger.c.payment == reference_of(clerk.id)).values(kind="charge"))


def _send_webhook(environment: Environment, event_type: str, key: str, event: str) -> None:
    body = json.dumps({"id": f"evt/{key}/{event}".replace("/", "-"), "type": event_type, "key": key}).encode()
    signature = sign(PROVIDER_SECRET, body, time.time_ns() // 1_000_000)
    headers = {"Provider-Signature": signature, "Content-Type": "application/json"}
    url = f"{environment.harness.url_of('payment')}/payment/provider-events"
    content_of(httpx.post(url, content=body, headers=headers, trust_env=False, timeout=30.0), 200)


FAULTS = (
    Fault("provider", "the provider takes the money and loses the answer", _loses_answers, PLAYED_IN),
    Fault("provider", "the provider keeps silent", _keeps_silent, PLAYED_IN + 12.0),
    Fault("provider", "the provider answers again", _answers_again, PLAYED_IN),
    Fault("provider", "the provider changes its mind", _changes_its_mind, PLAYED_IN),
    Fault("provider", "the provider declines late", _declines_late, PLAYED_IN),
    Fault("provider", "the provider will not void", _will_not_void, PLAYED_IN),
    Fault("provider", "the provider will not refund", _will_not_refund, PLAYED_IN),
)
