"""Tickets for event streams: each opens one stream of its own session, once, within a minute."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from sqlalchemy import MetaData, Table, insert, select

from domain.times import from_wire, seconds
from http_api.keys import KeyRing
from http_api.principals import Principal
from http_api.problems import Problem
from shop_manager.engine.tables import event_tickets
from shop_manager.sessions import event_tickets as tickets
from shop_manager.sessions.event_tickets import EventTickets, forget_old
from shop_manager.tests.http_harness import SERVER, HttpHarness


def ticket_of(harness: HttpHarness, session: dict[str, Any], key: str | None = None) -> dict[str, Any]:
    answer = harness.call("POST", f"/shop/session/{session['id']}/events/ticket", key or session["client_secret"])
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.fixture
def harness(harness: HttpHarness) -> HttpHarness:
    """Its database has the keys that it takes, as a real one has."""
    keys = Table("access_keys", MetaData(), autoload_with=harness.database.engine)
    row = {"scope": "server", "name": "shop", "hash": "none", "created_at": 0}
    with harness.database.begin() as tx:
        tx.execute(insert(keys), [{"id": key_id, **row} for key_id in ("a", "c")])
    return harness


def revoke(harness: HttpHarness, key_id: str) -> None:
    with harness.database.begin() as tx:
        assert KeyRing(harness.database).revoke_within(tx, key_id)


def test_S2_a_ticket_opens_nothing_once_its_key_is_revoked(harness: HttpHarness) -> None:
    session = ended(harness)
    ticket = ticket_of(harness, session, SERVER)
    revoke(harness, "a")
    assert_refused(harness.get(ticket["href"]))
    assert harness.call("HEAD", ticket["href"]).status_code == 401


def test_S2_a_stream_that_a_ticket_has_opened_goes_on_as_long_as_its_key(harness: HttpHarness) -> None:
    may_go_on = harness.sessions.tickets.go_on_check(Principal("server", key_id="a"))
    assert may_go_on and may_go_on()
    revoke(harness, "a")
    assert not may_go_on()
    assert harness.sessions.tickets.go_on_check(Principal("customer", secret_sha256="0" * 64)) is None


def ended(harness: HttpHarness) -> dict[str, Any]:
    """A session whose stream ends by itself, after its one event."""
    session = harness.brings_all()
    harness.goes_on_to_the_end()
    return session


def kept(harness: HttpHarness) -> list[Any]:
    with harness.database.read() as tx:
        return list(tx.execute(select(event_tickets)))


def assert_refused(answer: httpx.Response) -> None:
    assert (answer.status_code, answer.json()["code"], answer.json()["param"]) == (401, "unauthorized", "ticket")
    assert "ask for a new one" in answer.json()["detail"]


@pytest.mark.parametrize("key", [None, SERVER, "op_night"])
def test_a_ticket_opens_the_stream_once_without_authorization(harness: HttpHarness, key: str | None) -> None:
    session = ended(harness)
    ticket = ticket_of(harness, session, key)
    assert ticket["href"] == f"{session['links']['events']}?ticket={ticket['ticket']}"
    stream = harness.get(ticket["href"])
    assert (stream.status_code, '"status":"completed"' in stream.text) == (200, True)
    assert_refused(harness.get(ticket["href"]))


def test_who_may_not_read_the_session_gets_no_ticket(harness: HttpHarness) -> None:
    session, other = harness.opened(), harness.opened()
    for key, status in ((None, 401), (other["client_secret"], 404), ("wk_hall", 403)):
        answer = harness.call("POST", f"/shop/session/{session['id']}/events/ticket", key)
        assert answer.status_code == status


def test_a_ticket_is_for_its_own_session_and_for_its_stream_alone(harness: HttpHarness) -> None:
    session, other = ended(harness), ended(harness)
    ticket = ticket_of(harness, session)["ticket"]
    assert_refused(harness.get(f"{other['links']['events']}?ticket={ticket}"))
    assert_refused(harness.get(f"{session['links']['events']}?ticket="))
    assert_refused(harness.get(f"/shop/session/clk_unknown/events?ticket={ticket}"))
    assert harness.get(session["links"]["self"], ticket).status_code == 401
    assert harness.get(f"{session['links']['events']}?ticket={ticket}").status_code == 200


def test_what_the_browser_has_seen_already_is_not_told_again(harness: HttpHarness) -> None:
    session = ended(harness)
    version = harness.session(session["id"])["version"]
    stream = harness.get(ticket_of(harness, session)["href"], Last_Event_ID="1")
    assert f"id: {version}\n" in stream.text
    assert harness.get(ticket_of(harness, session)["href"], Last_Event_ID=str(version)).status_code == 204


def test_head_says_whether_the_ticket_works_and_leaves_it_as_it_is(harness: HttpHarness) -> None:
    href = ticket_of(harness, ended(harness))["href"]
    assert harness.call("HEAD", href).status_code == 200
    assert harness.get(href).status_code == 200
    assert harness.call("HEAD", href).status_code == 401


def test_of_two_who_show_it_at_once_one_gets_in_whichever_process_is_asked(harness: HttpHarness) -> None:
    clerk, who = harness.opened()["id"], Principal("customer", secret_sha256="a" * 64)
    processes = [EventTickets(harness.database) for _ in range(4)]

    def gets_in(one: EventTickets, text: str) -> bool:
        try:
            return one.use(clerk, text) == who
        except Problem:
            return False

    with ThreadPoolExecutor(len(processes)) as threads:
        for _ in range(5):
            text = processes[0].make(clerk, who).text
            assert sum(threads.map(lambda one: gets_in(one, text), processes)) == 1  # noqa: B023  # used at once


def test_it_works_for_a_minute_and_is_forgotten_then(harness: HttpHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    session = ended(harness)
    ticket = ticket_of(harness, session)
    [row] = kept(harness)
    assert from_wire(ticket["expires_at"]) == row.expires_at
    assert seconds(60) == tickets.LIVES
    monkeypatch.setattr(tickets, "LIVES", 0)
    old = ticket_of(harness, session)
    assert_refused(harness.get(old["href"]))
    assert len(kept(harness)) == 2
    forget_old(harness.database)
    assert kept(harness) == [row]


def test_a_session_has_so_many_unused_tickets_and_no_more(harness: HttpHarness) -> None:
    session, other = ended(harness), ended(harness)
    made = [ticket_of(harness, session) for _ in range(tickets.MOST)]
    answer = harness.call("POST", f"/shop/session/{session['id']}/events/ticket", session["client_secret"])
    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (
        429,
        "too_many_requests",
        "60",
    )
    assert ticket_of(harness, other)
    assert harness.get(made[0]["href"]).status_code == 200
    assert ticket_of(harness, session), "one that is used makes room"


def test_only_the_hash_of_a_ticket_is_kept(harness: HttpHarness) -> None:
    ticket = ticket_of(harness, harness.opened())["ticket"]
    [row] = kept(harness)
    assert row.hash == hashlib.sha256(ticket.encode()).hexdigest()
    assert ticket not in str(row) and len(ticket) > 40
