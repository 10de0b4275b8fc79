"""The routes of sessions: who may see one, versions, waiting, following, canceling, lists (docs/design/api.md)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import event, select

from domain.times import hours, to_wire
from messaging.memory import MemoryBroker
from shop_manager.engine import store, tables
from shop_manager.tests.http_harness import (
    ITEMS,
    ORDERED,
    SERVER,
    HttpHarness,
    waits,
)

PATHS = [
    ("GET", ""),
    ("GET", "/events"),
    ("POST", "/cancel"),
]


def test_an_order_is_seen_at_each_of_its_moments(harness: HttpHarness) -> None:
    session = harness.brings_all(SERVER, customer="ada")
    own = session["client_secret"]
    command = harness.goes_on_to("CapturePayment")
    seen = harness.get(session["links"]["self"], own).json()
    assert (seen["status"], seen["payment_status"], seen["fulfillment_status"]) == (
        "processing",
        "authorized",
        "reserved",
    )
    assert seen["items"] == ORDERED and seen["total"] == 2590
    assert "client_secret" not in seen
    assert list(seen) == [key for key in session if key != "client_secret"]
    harness.answers(command)
    harness.goes_on_to_the_end()
    ended = harness.get(session["links"]["self"], own).json()
    assert (ended["status"], ended["payment_status"], ended["fulfillment_status"]) == (
        "completed",
        "captured",
        "shipped",
    )
    assert {line["state"] for line in ended["progress"]} == {"done"}


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_S1_a_foreign_session_looks_like_one_that_does_not_exist(harness: HttpHarness, method: str, path: str) -> None:
    mine, other = harness.opened(), harness.opened()
    for key, status in ((None, 401), (other["client_secret"], 404), ("wk_hall", 403)):
        answers = []
        for clerk in (mine["id"], "clk_unknown"):
            answered = harness.call(method, f"/shop/session/{clerk}{path}", key)
            body = {k: v for k, v in answered.json().items() if k not in ("request_id", "instance")}
            answers.append((answered.status_code, body))
        assert answers[0] == answers[1]
        assert answers[0][0] == status


def test_the_document_is_for_the_backend_and_operators_only(harness: HttpHarness) -> None:
    session = harness.brings_all()
    path = f"/shop/session/{session['id']}/clerk"
    for key in (SERVER, "op_night"):
        document = harness.get(path, key).json()
        assert document["clerk"]["version"] == session["version"]
        assert document["clerk"]["id"] == session["id"]
    assert harness.get(path, session["client_secret"]).status_code == 403
    assert harness.get(path).status_code == 401


# --- versions and waiting ---------------------------------------------------------------------------------------------


def test_a_known_version_is_not_told_again(harness: HttpHarness) -> None:
    session = harness.opened()
    path, tag = session["links"]["self"], f'"{session["version"]}"'
    answered = harness.get(path, SERVER, If_None_Match=tag)
    assert (answered.status_code, answered.content, answered.headers["etag"]) == (304, b"", tag)
    assert harness.get(path, SERVER, If_None_Match='"1"').status_code == 200


def test_a_waiting_client_hears_of_the_change_when_it_happens(harness: HttpHarness) -> None:
    session = harness.brings_all()
    [command] = harness.sent()
    headers = {"Prefer": "wait=20", "If-None-Match": f'"{session["version"]}"'}
    answered = harness.while_waiting(
        "GET", session["links"]["self"], SERVER, lambda: harness.answers(command), headers=headers
    )
    assert answered.status_code == 200
    assert answered.json()["version"] > session["version"]
    assert answered.headers["preference-applied"] == "wait=20"


def test_a_change_by_another_process_is_heard_of_too(harness: HttpHarness) -> None:
    session = harness.brings_all()
    [command] = harness.sent()
    harness.manager.on_change = lambda clerks: None
    answered = harness.while_waiting(
        "GET", session["links"]["self"], SERVER, lambda: harness.answers(command), headers=waits(session, 20)
    )
    assert answered.json()["version"] > session["version"]


def test_after_the_wait_the_client_is_told_how_it_is(harness: HttpHarness) -> None:
    session = harness.opened()
    known = harness.get(session["links"]["self"], SERVER, If_None_Match=f'"{session["version"]}"', Prefer="wait=1")
    assert known.status_code == 304


def test_nobody_waits_for_a_change_that_is_there_or_that_cannot_come(harness: HttpHarness) -> None:
    session = harness.opened()
    older = harness.get(session["links"]["self"], SERVER, Prefer="wait=30", If_None_Match='"1"')
    assert older.status_code == 200
    harness.sent()
    harness.call("POST", session["links"]["cancel"], SERVER)
    harness.goes_on_to_the_end()
    ended = harness.get(session["links"]["self"], SERVER, Prefer="wait=30")
    assert ended.json()["status"] == "canceled"


def test_a_process_that_ends_lets_its_waiters_go(harness: HttpHarness) -> None:
    session = harness.opened()
    answered = harness.while_waiting(
        "GET", session["links"]["self"], SERVER, harness.notifier.close, headers=waits(session, 30)
    )
    assert answered.status_code == 304


# --- events -----------------------------------------------------------------------------------------------------------


def told_by(text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    for found in re.finditer(r"^id: (\d+)\nevent: session\ndata: (.*)\n\n", text, re.MULTILINE):
        yield int(found.group(1)), json.loads(found.group(2))


def test_a_follower_sees_the_state_each_change_and_the_end_and_then_it_is_over(harness: HttpHarness) -> None:
    session = harness.brings_all()
    answered = harness.while_waiting(
        "GET", session["links"]["events"], session["client_secret"], harness.goes_on_to_the_end
    )
    assert answered.headers["content-type"].startswith("text/event-stream")
    told = list(told_by(answered.text))
    assert told[0][0] == session["version"]
    assert [number for number, _ in told] == sorted({number for number, _ in told})
    assert all(number == seen["version"] for number, seen in told)
    assert told[-1][1] == harness.session(session["id"])
    assert told[-1][1]["status"] == "completed"
    assert harness.notifier._count == 0


def test_a_follower_who_comes_back_is_told_only_what_is_new(harness: HttpHarness) -> None:
    session = harness.brings_all()
    path, own = session["links"]["events"], session["client_secret"]
    headers = {"Last-Event-ID": str(session["version"])}
    answered = harness.while_waiting("GET", path, own, harness.goes_on_to_the_end, headers=headers)
    told = list(told_by(answered.text))
    assert told[0][0] > session["version"]
    latest = told[-1][0]
    assert [number for number, _ in told_by(harness.get(path, own, Last_Event_ID="1").text)] == [latest]
    assert [number for number, _ in told_by(harness.get(path, own, Last_Event_ID="nonsense").text)] == [latest]
    over = harness.get(path, own, Last_Event_ID=str(latest))
    assert (over.status_code, over.content) == (204, b"")


# --- calling it off ---------------------------------------------------------------------------------------------------


def test_a_customer_cancels_and_is_answered_by_state(harness: HttpHarness) -> None:
    session = harness.opened()
    own, path = session["client_secret"], session["links"]["cancel"]
    harness.sent()
    first = harness.call("POST", path, own)
    assert (first.status_code, first.json()["status"]) == (202, "canceling")
    assert "cancel" not in first.json()["links"]
    again = harness.call("POST", path, own)
    assert (again.status_code, again.json()["version"]) == (202, first.json()["version"])
    harness.goes_on_to_the_end()
    done = harness.call("POST", path, own)
    assert (done.status_code, done.json()["status"]) == (200, "canceled")
    assert done.headers["etag"] == f'"{done.json()["version"]}"'


def test_P2_past_the_pivot_it_is_refused_and_recorded(harness: HttpHarness) -> None:
    session = harness.brings_all()
    harness.goes_on_to("CapturePayment")
    for path in ("cancel", "expire"):
        answered = harness.call("POST", f"/shop/session/{session['id']}/{path}", SERVER)
        assert (answered.status_code, answered.json()["code"]) == (409, "past_the_pivot")
        assert answered.json()["session_id"] == session["id"]
    with harness.database.read() as tx:
        recorded = store.read_ignored(tx, session["id"])
    assert [line["message"] for line in recorded] == [f"{session['id']}/cancelled", f"{session['id']}/expired"]


def test_S5_who_asks_for_it_again_and_again_leaves_one_line_only(harness: HttpHarness) -> None:
    session = harness.brings_all()
    harness.goes_on_to("CapturePayment")
    for _ in range(5):
        answered = harness.call("POST", f"/shop/session/{session['id']}/cancel", session["client_secret"])
        assert answered.json()["code"] == "past_the_pivot"
    with harness.database.read() as tx:
        assert len(store.read_ignored(tx, session["id"])) == 1


def test_E1_after_another_end_there_is_nothing_to_cancel(harness: HttpHarness) -> None:
    session = harness.brings_all()
    harness.goes_on_to_the_end()
    answered = harness.call("POST", f"/shop/session/{session['id']}/cancel", session["client_secret"])
    assert (answered.status_code, answered.json()["code"]) == (409, "session_ended")


def test_the_version_that_was_seen_must_still_be_there(harness: HttpHarness) -> None:
    session = harness.brings_all()
    path = session["links"]["cancel"]
    harness.goes_on_to("AuthorizePayment")
    stale = harness.call("POST", path, SERVER, headers={"If-Match": f'"{session["version"]}"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "version_conflict")
    assert harness.session(session["id"])["status"] == "processing"
    now = harness.session(session["id"])["version"]
    assert harness.call("POST", path, SERVER, headers={"If-Match": f'"{now}"'}).status_code == 202


def test_only_the_backend_expires_a_session(harness: HttpHarness) -> None:
    session = harness.opened()
    harness.sent()
    path = f"/shop/session/{session['id']}/expire"
    assert harness.call("POST", path, session["client_secret"]).status_code == 403
    assert harness.call("POST", path).status_code == 401
    answered = harness.call("POST", path, SERVER)
    assert (answered.status_code, answered.json()["status"]) == (202, "canceling")
    harness.goes_on_to_the_end()
    assert harness.session(session["id"])["status"] == "expired"
    assert harness.session(session["id"])["failure"]["code"] == "session_expired"
    assert harness.call("POST", path, SERVER).status_code == 200


def test_an_operator_looks_but_acts_elsewhere(harness: HttpHarness) -> None:
    session = harness.opened()
    assert harness.get(session["links"]["self"], "op_night").status_code == 200
    assert harness.call("POST", session["links"]["cancel"], "op_night").status_code == 403


# --- lists ------------------------------------------------------------------------------------------------------------


def listed(harness: HttpHarness, query: str = "") -> dict[str, Any]:
    answered = harness.get(f"/shop/session{query}", SERVER)
    assert answered.status_code == 200, answered.text
    found: dict[str, Any] = answered.json()
    return found


def test_sessions_are_listed_newest_first_page_by_page_also_those_of_one_moment(harness: HttpHarness) -> None:
    made = []
    for _ in range(5):
        made += [harness.opened()["id"], harness.opened()["id"]]
        harness.now += 1000
    seen: list[str] = []
    cursor = ""
    while True:
        page = listed(harness, f"?limit=3{cursor}")
        seen += [session["id"] for session in page["data"]]
        if not page["has_more"]:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert page["next_cursor"] is None
    assert sorted(seen) == sorted(made) and len(seen) == len(made)
    assert [harness.session(clerk)["created_at"] for clerk in seen] == sorted(
        (harness.session(clerk)["created_at"] for clerk in made), reverse=True
    )


def one_of_each(harness: HttpHarness) -> dict[str, str]:
    """A Clerk for each public status, by that status."""
    made = {"completed": harness.brings_all()["id"]}
    harness.goes_on_to_the_end()
    made["failed"] = harness.brings_all()["id"]
    harness.answers(harness.goes_on_to("ReserveCredit"), "refused")
    harness.goes_on_to_the_end()
    for end, path in (("canceled", "cancel"), ("expired", "expire")):
        made[end] = harness.opened()["id"]
        harness.sent()
        harness.call("POST", f"/shop/session/{made[end]}/{path}", SERVER)
        harness.goes_on_to_the_end()
    made["canceling"] = harness.opened()["id"]
    harness.call("POST", f"/shop/session/{made['canceling']}/cancel", SERVER)
    harness.sent()
    made["requires_action"] = harness.opened(items=ITEMS)["id"]
    harness.goes_on_to("AuthorizePayment")
    made["processing"] = harness.brings_all()["id"]
    harness.goes_on_to("AuthorizePayment")
    made["open"] = harness.opened()["id"]
    harness.sent()
    return made


def test_each_public_status_finds_its_own_and_nothing_else(harness: HttpHarness) -> None:
    made = one_of_each(harness)
    assert {status: harness.session(clerk)["status"] for status, clerk in made.items()} == {each: each for each in made}
    for status, clerk in made.items():
        assert [session["id"] for session in listed(harness, f"?status={status}")["data"]] == [clerk]


def test_lists_are_filtered_by_customer_reference_and_time(harness: HttpHarness) -> None:
    ada = harness.opened(SERVER, customer="ada", client_reference="web-1")["id"]
    harness.now += hours(1)
    since = to_wire(harness.now)
    harness.now += 1
    harness.opened(SERVER, customer="grace")
    late = harness.opened(SERVER, customer="ada")["id"]
    assert [session["id"] for session in listed(harness, "?customer=ada")["data"]] == [late, ada]
    assert [session["id"] for session in listed(harness, f"?customer=ada&created_after={since}")["data"]] == [late]
    assert [session["id"] for session in listed(harness, "?client_reference=web-1")["data"]] == [ada]
    assert listed(harness, "?customer=nobody")["data"] == []


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "limit=x", "status=stuck", "cursor=abc", "created_after=yesterday", "customer="]
)
def test_a_list_that_cannot_be_asked_for_is_refused(harness: HttpHarness, query: str) -> None:
    answered = harness.get(f"/shop/session?{query}", SERVER)
    assert (answered.status_code, answered.json()["code"]) == (422, "invalid_request")
    assert answered.json()["param"] == query.split("=", maxsplit=1)[0]


def test_lists_are_the_backends_only(harness: HttpHarness) -> None:
    own = harness.opened()["client_secret"]
    assert harness.get("/shop/session").status_code == 401
    for key in (own, "wk_hall", "op_night"):
        assert harness.get("/shop/session", key).status_code == 403


def test_no_list_scans_ended_clerks(harness: HttpHarness) -> None:
    harness.opened()
    plans = {
        "?status=open": "clerks_status",
        "?status=failed": "clerks_status",
        "?customer=ada": "clerks_customer",
        "?client_reference=web-1": "clerks_reference",
        "": "clerks_opened",
    }
    for query, index in plans.items():
        statements = recorded(harness, f"/shop/session{query}")
        assert index in plan_of(harness, statements[0]), f"{query}: {statements[0]}"


def recorded(harness: HttpHarness, path: str, key: str = SERVER) -> list[tuple[str, Any]]:
    """The statements about Clerks that answering takes."""
    found: list[tuple[str, Any]] = []

    def note(connection: Any, cursor: Any, statement: str, parameters: Any, *rest: Any) -> None:
        if statement.startswith("SELECT") and "clerks" in statement:
            found.append((statement, parameters))

    event.listen(harness.database.engine, "before_cursor_execute", note)
    harness.get(path, key)
    event.remove(harness.database.engine, "before_cursor_execute", note)
    return found


def plan_of(harness: HttpHarness, statement: tuple[str, Any]) -> str:
    with harness.database.read() as tx:
        rows = tx.connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement[0]}", statement[1])
        return " | ".join(row[3] for row in rows)


def test_another_manager_on_the_same_data_shows_the_same(harness: HttpHarness, tmp_path: Any) -> None:
    session = harness.brings_all()
    second = HttpHarness(tmp_path, MemoryBroker())
    assert second.session(session["id"]) == harness.session(session["id"])
    assert second.get(session["links"]["self"], session["client_secret"]).status_code == 200
    second.database.close()


def test_the_tables_hold_what_the_list_shows(harness: HttpHarness) -> None:
    session = harness.opened(client_reference="web-7")
    with harness.database.read() as tx:
        row = tx.execute(select(tables.clerks)).one()
    assert (row.id, row.client_reference, row.version) == (session["id"], "web-7", session["version"])
