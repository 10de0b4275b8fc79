"""Sessions that are opened in the same moment: one transaction, and what is refused is refused alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.exc import IntegrityError, OperationalError

from http_api.principals import NOBODY, Principal
from http_api.problems import Problem
from http_api.request import Origin
from messaging.database import Tx
from shop_manager.engine import tables
from shop_manager.engine.manager import ToOpen
from shop_manager.sessions import idempotency
from shop_manager.sessions.idempotency import request_of
from shop_manager.sessions.opening import Asked, Caller, Opened, Opening
from shop_manager.sessions.opening_request import OpenSession
from shop_manager.tests.http_harness import HttpHarness

SHOP = Caller(Principal("server", name="shop", key_id="a"))
HERE, THERE = (Caller(NOBODY, Origin(name, name)) for name in ("here", "there"))


@pytest.fixture
def opening(harness: HttpHarness) -> Opening:
    return opening_of(harness)


def opening_of(harness: HttpHarness) -> Opening:
    return Opening(harness.manager, harness.secrets, harness.settings.opening(), clock=lambda: 0.0)


def asks(key: str | None = None, who: Caller = SHOP, **wanted: Any) -> Asked:
    body = OpenSession(**wanted)
    request = request_of(who.who, "POST", "/shop/session", key, body.model_dump(exclude_unset=True)) if key else None
    return Asked(body, who, None, request)


def codes(outcomes: Sequence[Opened | Exception]) -> list[str]:
    return [outcome.code if isinstance(outcome, Problem) else "" for outcome in outcomes]


def clerks(harness: HttpHarness) -> int:
    with harness.database.read() as tx:
        return int(tx.execute(select(func.count()).select_from(tables.clerks)).scalar_one())


def test_they_share_a_transaction_whose_statements_do_not_grow(harness: HttpHarness, opening: Opening) -> None:
    said: list[str] = []
    event.listen(harness.database.engine, "before_cursor_execute", lambda *given: said.append(given[2]))

    def cost(count: int) -> tuple[int, int]:
        said.clear()
        before = harness.database.commits
        many = [asks(f"{count}-{number}", customer="ada") for number in range(count)]
        assert codes(opening.open_all([*many, asks(who=HERE), asks()])) == [""] * (count + 2)
        return len([each for each in said if "FROM outbox" not in each]), harness.database.commits - before

    opening.open_all([asks(who=HERE)])  # this one has counted the hour
    one, twenty = cost(1), cost(20)
    assert one == twenty and twenty[1] == 1
    assert clerks(harness) == 1 + 3 + 22
    assert len({command.clerk for command in harness.sent()}) == 26


def test_one_that_is_refused_leaves_the_others_as_they_are(harness: HttpHarness, opening: Opening) -> None:
    [first] = opening.open_all([asks("one")])
    together = [
        asks(shop="nowhere"),
        asks("one"),
        asks("one", currency="EUR"),
        asks(customer="stranger"),
        asks(currency="USD"),
        asks("two"),
    ]
    outcomes = opening.open_all(together)
    assert codes(outcomes) == ["shop_unknown", "", "idempotency_conflict", "customer_unknown", "invalid_request", ""]
    assert isinstance(first, Opened) and outcomes[1] == Opened(first.session, replayed=True)
    assert clerks(harness) == 2


def test_S5_guests_who_come_together_are_counted_one_by_one(tmp_path: Path) -> None:
    harness = HttpHarness(tmp_path, guest_sessions_per_address=3)
    told = codes(opening_of(harness).open_all([asks(who=who) for who in (HERE, HERE, THERE, HERE, HERE, SHOP, THERE)]))
    assert told == ["", "", "", "", "too_many_sessions", "", ""]
    assert clerks(harness) == 6
    harness.database.close()


def test_S5_guests_who_come_together_do_not_overrun_their_hour(tmp_path: Path) -> None:
    harness = HttpHarness(tmp_path, guest_sessions_per_hour=2)
    callers = [Caller(NOBODY, Origin(name, name)) for name in "abcd"]
    told = codes(opening_of(harness).open_all([asks(who=who) for who in callers]))
    assert told == ["", "", "overloaded", "overloaded"]
    harness.database.close()


def breaking_for(harness: HttpHarness, error: Exception) -> Callable[..., Any]:
    """`manager.open` that raises this as soon as one is among them whose metadata says so."""
    sound = harness.manager.open

    def breaks(tx: Tx, to_open: Sequence[ToOpen], now: int) -> Any:
        if any(each.started.document["metadata"] == {"breaks": True} for each in to_open):
            raise error
        return sound(tx, to_open, now)

    return breaks


def test_one_that_breaks_the_transaction_is_alone_with_that(
    harness: HttpHarness, opening: Opening, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = IntegrityError("INSERT", {}, Exception("said by the database"))
    monkeypatch.setattr(harness.manager, "open", breaking_for(harness, broken))
    outcomes = opening.open_all([asks(metadata=more) for more in ({}, {"breaks": True}, {})])
    assert [type(outcome) for outcome in outcomes] == [Opened, IntegrityError, Opened]
    assert clerks(harness) == 2


def test_a_database_that_is_away_is_not_asked_once_more_for_each(
    harness: HttpHarness, opening: Opening, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = OperationalError("INSERT", {}, Exception("connection refused"))
    monkeypatch.setattr(harness.manager, "open", breaking_for(harness, away))
    with pytest.raises(OperationalError):
        opening.open_all([asks(metadata=more) for more in ({}, {"breaks": True}, {})])
    assert clerks(harness) == 0


def test_a_key_that_another_process_takes_meanwhile_is_found(
    harness: HttpHarness, opening: Opening, monkeypatch: pytest.MonkeyPatch
) -> None:
    [taken] = opening_of(harness).open_all([asks("one")])
    found = idempotency.find
    looks: list[object] = []

    def blind_at_first(tx: Tx, *given: Any) -> Any:
        looks.append(given)
        return {} if len(looks) == 1 else found(tx, *given)  # the other one has not committed yet

    monkeypatch.setattr("shop_manager.sessions.opening.find", blind_at_first)
    outcomes = opening.open_all([asks(), asks("one")])
    assert codes(outcomes) == ["", ""]
    assert isinstance(taken, Opened) and outcomes[1] == Opened(taken.session, replayed=True)
    assert clerks(harness) == 2
