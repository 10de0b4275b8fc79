"""A payment provider that loses answers, gives them twice, changes its mind, keeps silent, or will not give back.

It takes the money once and gives it back once: `clerk verify` compares its ledger with everybody's books (I3, I7).
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

from payment_service.ledger import Entry
from payment_service.notices import MEANS, sign
from payment_service.payment import reference_of
from payment_service.store import ledger
from scenario_tests.clerk_on_stage import ClerkOnStage
from scenario_tests.faults.ground import PROVIDER_SECRET, Ground
from scenario_tests.faults.harm import Blow, Harm
from scenario_tests.shop import PRICE, Shop
from scenario_tests.waiting import lasts, until
from scenario_tests.wire import Wire, content_of

MANY = 8
LASTS = 4.0
SEEN_LIMIT = 30.0
PLAYED_IN = 12.0
_NOTICES: dict[str, str] = {kind: name for name, (kind, _) in MEANS.items() if kind is not None}
_marks = count(1)


def _loses_answers(blow: Blow) -> None:
    with _house(blow.ground) as house:
        clerks = [house.orders("tok_lost") for _ in range(MANY)]
        until(lambda: _entries(blow.ground, clerks) != [], "the provider has taken some money", SEEN_LIMIT)
        blow.lands(f"the provider authorised {len(_entries(blow.ground, clerks))} of {MANY} and lost its answers")
        for clerk in clerks:
            clerk.becomes("completed")
        kinds = [entry.kind for entry in _entries(blow.ground, clerks)]
        assert (kinds.count("authorize"), kinds.count("capture")) == (MANY, MANY), kinds


def _keeps_silent(blow: Blow) -> None:
    with _house(blow.ground) as house:
        clerks = [house.orders("tok_down") for _ in range(MANY)]
        until(lambda: all(each.payment()["status"] == "authorizing" for each in clerks), "all wait for it", SEEN_LIMIT)
        blow.lands(f"the provider keeps silent about {MANY} payments")
        for clerk in clerks:
            clerk.becomes("completed", limit=60.0)


def _answers_again(blow: Blow) -> None:
    """Each of its answers comes as a notice too: twice the same, then one more that says it anew."""
    ground, told, known = blow.ground, 0, {entry.key for entry in _ledger(blow.ground)}
    blow.finds_work()
    for _ in range(int(LASTS)):
        fresh = [entry for entry in _ledger(ground) if entry.key not in known and entry.outcome == "approved"]
        known |= {entry.key for entry in fresh}
        for entry in fresh:
            for event in ("first", "first", "second"):
                _notice(ground, _NOTICES[entry.kind], entry.key, event)
                told += 1
        lasts(1.0)
    assert told, "the provider had nothing to tell"
    blow.lands(f"{told} notices of what it had answered before")


def _changes_its_mind(blow: Blow) -> None:
    """It declines what it has approved: its first answer counts."""
    with _house(blow.ground) as house:
        clerks = [house.orders("tok_ok") for _ in range(MANY)]
        until(lambda: len(_entries(blow.ground, clerks)) >= MANY, "the provider has answered", SEEN_LIMIT)
        for entry in _entries(blow.ground, clerks):
            _notice(blow.ground, "payment.declined", entry.key, "changed")
        blow.lands(f"{MANY} payments declined after they were approved")
        for clerk in clerks:
            clerk.becomes("completed")


def _declines_late(blow: Blow) -> None:
    with _house(blow.ground) as house:
        clerks = [house.orders("tok_down") for _ in range(MANY)]
        until(lambda: all(each.payment()["status"] == "authorizing" for each in clerks), "all wait for it", SEEN_LIMIT)
        blow.lands(f"{MANY} payments without an answer")
        for clerk in clerks:
            _notice(blow.ground, "payment.declined", f"{clerk.id}/payment/authorize/1", "late")
            clerk.becomes("failed", because="card_declined")
        blow.evidence.append("all declined by a notice")
        assert not _entries(blow.ground, clerks)


def _will_not_void(blow: Blow) -> None:
    with _house(blow.ground) as house:
        with house.authorised() as clerk:
            _will_refuse(blow.ground, clerk, "void", 2, 0)
            blow.lands("the provider will not void")
            clerk.cancels()
        clerk.becomes("canceled")
    kinds = [(entry.kind, entry.outcome) for entry in _entries(blow.ground, [clerk])]
    assert kinds == [("authorize", "approved"), ("void", "declined"), ("void", "approved")]


def _will_not_refund(blow: Blow) -> None:
    """It has captured at once what it should have authorised, so that a void comes too late; then it says no."""
    with _house(blow.ground) as house:
        with house.authorised() as clerk:
            _captured_at_once(blow.ground, clerk)
            _will_refuse(blow.ground, clerk, "refund", 3, PRICE)
            blow.lands("the provider has captured at once, and will not refund")
            clerk.cancels()
        clerk.becomes("canceled")
    kinds = sorted((entry.kind, entry.outcome) for entry in _entries(blow.ground, [clerk]))
    assert kinds == [("charge", "approved"), ("refund", "approved"), ("refund", "declined"), ("void", "declined")]


class _House:
    """A shop of songs, whose orders need nobody's help to end."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._branch = shop.branch("songs", kind="digital")
        shop.sells("SONG")

    def orders(self, token: str) -> ClerkOnStage:
        return self._shop.guest(token).orders({"SONG": 1}, shop=self._branch)

    @contextmanager
    def authorised(self) -> Iterator[ClerkOnStage]:
        """A session whose money is authorised, which ShopManager hears of at the end of the block only."""
        with self._shop.holds_back_answer("AuthorizePayment") as held:
            clerk = self.orders("tok_ok")
            held.until_there(clerk.id)
            yield clerk


@contextmanager
def _house(ground: Ground) -> Iterator[_House]:
    wire = Wire(ground.stage)
    yield _House(Shop(ground.stage, wire, f"provider{next(_marks)}"))
    wire.close()


def _ledger(ground: Ground) -> list[Entry]:
    with ground.stage.database("payment").read() as tx:
        return [Entry(**row) for row in tx.execute(select(ledger).order_by(ledger.c.at)).mappings()]


def _entries(ground: Ground, clerks: Sequence[ClerkOnStage]) -> list[Entry]:
    payments = {reference_of(clerk.id) for clerk in clerks}
    return [entry for entry in _ledger(ground) if entry.payment in payments]


def _will_refuse(ground: Ground, clerk: ClerkOnStage, kind: str, number: int, amount: int) -> None:
    """The provider's answer to this key, before it is asked: no."""
    key = f"{clerk.id}/payment/{kind}/{number}"
    with ground.stage.database("payment").begin() as tx:
        entry = Entry(key, reference_of(clerk.id), kind, amount, "EUR", "tok_ok", "declined", "not now", tx.now())
        tx.insert(ledger, [asdict(entry)])


def _captured_at_once(ground: Ground, clerk: ClerkOnStage) -> None:
    with ground.stage.database("payment").begin() as tx:
        tx.execute(update(ledger).where(ledger.c.payment == reference_of(clerk.id)).values(kind="charge"))


def _notice(ground: Ground, notice: str, key: str, event: str) -> None:
    body = json.dumps({"id": f"evt/{key}/{event}".replace("/", "-"), "type": notice, "key": key}).encode()
    signature = sign(PROVIDER_SECRET, body, time.time_ns() // 1_000_000)
    headers = {"Provider-Signature": signature, "Content-Type": "application/json"}
    url = f"{ground.stage.door('payment')}/payment/provider-events"
    content_of(httpx.post(url, content=body, headers=headers, trust_env=False, timeout=30.0), 200)


HARMS = (
    Harm("provider", "the provider takes the money and loses the answer", _loses_answers, PLAYED_IN),
    Harm("provider", "the provider keeps silent", _keeps_silent, PLAYED_IN + 12.0),
    Harm("provider", "the provider answers again", _answers_again, PLAYED_IN),
    Harm("provider", "the provider changes its mind", _changes_its_mind, PLAYED_IN),
    Harm("provider", "the provider declines late", _declines_late, PLAYED_IN),
    Harm("provider", "the provider will not void", _will_not_void, PLAYED_IN),
    Harm("provider", "the provider will not refund", _will_not_refund, PLAYED_IN),
)
