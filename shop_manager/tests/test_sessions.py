"""One session's doors: who may see it, versions and waiting, following it, calling it off, and lists (api.md)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import event, select

from domain.times import hours, to_wire
from messaging.memory import MemoryBroker
from shop_manager import store
from shop_manager.tests.house import ITEMS, ORDERED, SERVER, House

PATHS = [
    ("GET", ""),
    ("GET", "/events"),
    ("POST", "/cancel"),
]


def test_an_order_is_seen_at_each_of_its_moments(house: House) -> None:
    session = house.brings_all(SERVER, customer="ada")
    own = session["client_secret"]
    command = house.goes_on_to("CapturePayment")
    seen = house.get(session["links"]["self"], own).json()
    assert (seen["status"], seen["payment_status"], seen["fulfillment_status"]) == (
        "processing",
        "authorized",
        "reserved",
    )
    assert seen["items"] == ORDERED and seen["total"] == 2590
    assert "client_secret" not in seen
    assert list(seen) == [key for key in session if key != "client_secret"]
    house.answers(command)
    house.goes_on_to_the_end()
    ended = house.get(session["links"]["self"], own).json()
    assert (ended["status"], ended["payment_status"], ended["fulfillment_status"]) == (
        "completed",
        "captured",
        "shipped",
    )
    assert {line["state"] for line in ended["progress"]} == {"done"}


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_S1_a_foreign_session_looks_like_one_that_does_not_exist(house: House, method: str, path: str) -> None:
    mine, other = house.opened(), house.opened()
    answers = []
    for clerk in (mine["id"], "clk_unknown"):
        for key in (None, other["client_secret"], "wk_hall"):
            answered = house.call(method, f"/shop/session/{clerk}{path}", key)
            body = {k: v for k, v in answered.json().items() if k not in ("request_id", "instance")}
            answers.append((answered.status_code, body))
    assert answers[0][0] == 404
    assert all(answer == answers[0] for answer in answers)


def test_the_document_is_for_the_backend_and_operators_only(house: House) -> None:
    session = house.brings_all()
    path = f"/shop/session/{session['id']}/clerk"
    for key in (SERVER, "op_night"):
        document = house.get(path, key).json()
        assert document["clerk"]["version"] == session["version"]
        assert document["clerk"]["id"] == session["id"]
    assert house.get(path, session["client_secret"]).status_code == 403
    assert house.get(path).status_code == 401


# --- versions and waiting ---------------------------------------------------------------------------------------------


def test_a_known_version_is_not_told_again(house: House) -> None:
    session = house.opened()
    path, tag = session["links"]["self"], f'"{session["version"]}"'
    answered = house.get(path, SERVER, If_None_Match=tag)
    assert (answered.status_code, answered.content, answered.headers["etag"]) == (304, b"", tag)
    assert house.get(path, SERVER, If_None_Match='"1"').status_code == 200


def test_a_waiting_caller_hears_of_the_change_when_it_happens(house: House) -> None:
    session = house.brings_all()
    [command] = house.sent()
    headers = {"Prefer": "wait=20", "If-None-Match": f'"{session["version"]}"'}
    answered = house.while_waiting(
        "GET", session["links"]["self"], SERVER, lambda: house.answers(command), headers=headers
    )
    assert answered.status_code == 200
    assert answered.json()["version"] > session["version"]
    assert answered.headers["preference-applied"] == "wait=20"


def test_a_change_by_another_process_is_heard_of_too(house: House) -> None:
    session = house.brings_all()
    [command] = house.sent()
    house.manager.on_change = lambda ids: None
    answered = house.while_waiting(
        "GET", session["links"]["self"], SERVER, lambda: house.answers(command), headers={"Prefer": "wait=20"}
    )
    assert answered.json()["version"] > session["version"]


def test_after_the_wait_the_caller_is_told_how_it_is(house: House) -> None:
    session = house.opened()
    waiting = {"Prefer": "wait=1"}
    assert house.get(session["links"]["self"], SERVER, **waiting).json()["version"] == session["version"]
    known = house.get(session["links"]["self"], SERVER, If_None_Match=f'"{session["version"]}"', **waiting)
    assert known.status_code == 304


def test_nobody_waits_for_news_that_are_there_or_that_cannot_come(house: House) -> None:
    session = house.opened()
    older = house.get(session["links"]["self"], SERVER, Prefer="wait=30", If_None_Match='"1"')
    assert older.status_code == 200
    house.sent()
    house.call("POST", session["links"]["cancel"], SERVER)
    house.goes_on_to_the_end()
    ended = house.get(session["links"]["self"], SERVER, Prefer="wait=30")
    assert ended.json()["status"] == "canceled"


def test_a_process_that_ends_lets_its_waiters_go(house: House) -> None:
    session = house.opened()
    answered = house.while_waiting(
        "GET", session["links"]["self"], SERVER, house.watch.close, headers={"Prefer": "wait=30"}
    )
    assert answered.status_code == 200


# --- events -----------------------------------------------------------------------------------------------------------


def told_by(text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    for found in re.finditer(r"^id: (\d+)\nevent: session\ndata: (.*)\n\n", text, re.MULTILINE):
        yield int(found.group(1)), json.loads(found.group(2))


def test_a_follower_sees_the_state_each_change_and_the_end_and_then_it_is_over(house: House) -> None:
    session = house.brings_all()
    answered = house.while_waiting(
        "GET", session["links"]["events"], session["client_secret"], house.goes_on_to_the_end
    )
    assert answered.headers["content-type"].startswith("text/event-stream")
    told = list(told_by(answered.text))
    assert told[0][0] == session["version"]
    assert [number for number, _ in told] == sorted({number for number, _ in told})
    assert all(number == seen["version"] for number, seen in told)
    assert told[-1][1] == house.session(session["id"])
    assert told[-1][1]["status"] == "completed"
    assert house.watch._count == 0


def test_a_follower_who_comes_back_is_told_only_what_is_new(house: House) -> None:
    session = house.brings_all()
    path, own = session["links"]["events"], session["client_secret"]
    headers = {"Last-Event-ID": str(session["version"])}
    answered = house.while_waiting("GET", path, own, house.goes_on_to_the_end, headers=headers)
    told = list(told_by(answered.text))
    assert told[0][0] > session["version"]
    latest = told[-1][0]
    assert [number for number, _ in told_by(house.get(path, own, Last_Event_ID="1").text)] == [latest]
    assert [number for number, _ in told_by(house.get(path, own, Last_Event_ID="nonsense").text)] == [latest]
    over = house.get(path, own, Last_Event_ID=str(latest))
    assert (over.status_code, over.content) == (204, b"")


# --- calling it off ---------------------------------------------------------------------------------------------------


def test_a_customer_cancels_and_is_answered_by_state(house: House) -> None:
    session = house.opened()
    own, path = session["client_secret"], session["links"]["cancel"]
    house.sent()
    first = house.call("POST", path, own)
    assert (first.status_code, first.json()["status"]) == (202, "canceling")
    assert "cancel" not in first.json()["links"]
    again = house.call("POST", path, own)
    assert (again.status_code, again.json()["version"]) == (202, first.json()["version"])
    house.goes_on_to_the_end()
    done = house.call("POST", path, own)
    assert (done.status_code, done.json()["status"]) == (200, "canceled")
    assert done.headers["etag"] == f'"{done.json()["version"]}"'


def test_P2_past_the_pivot_it_is_refused_and_recorded(house: House) -> None:
    session = house.brings_all()
    house.goes_on_to("CapturePayment")
    for path in ("cancel", "expire"):
        answered = house.call("POST", f"/shop/session/{session['id']}/{path}", SERVER)
        assert (answered.status_code, answered.json()["code"]) == (409, "past_the_pivot")
        assert answered.json()["session_id"] == session["id"]
    with house.database.read() as tx:
        recorded = store.read_ignored(tx, session["id"])
    assert [line["message"] for line in recorded] == [f"{session['id']}/cancelled", f"{session['id']}/expired"]


def test_E1_after_another_end_there_is_nothing_to_cancel(house: House) -> None:
    session = house.brings_all()
    house.goes_on_to_the_end()
    answered = house.call("POST", f"/shop/session/{session['id']}/cancel", session["client_secret"])
    assert (answered.status_code, answered.json()["code"]) == (409, "session_ended")


def test_the_version_that_was_seen_must_still_be_there(house: House) -> None:
    session = house.brings_all()
    path = session["links"]["cancel"]
    house.goes_on_to("AuthorizePayment")
    stale = house.call("POST", path, SERVER, headers={"If-Match": f'"{session["version"]}"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "version_conflict")
    assert house.session(session["id"])["status"] == "processing"
    now = house.session(session["id"])["version"]
    assert house.call("POST", path, SERVER, headers={"If-Match": f'"{now}"'}).status_code == 202


def test_only_the_backend_expires_a_session(house: House) -> None:
    session = house.opened()
    house.sent()
    path = f"/shop/session/{session['id']}/expire"
    assert house.call("POST", path, session["client_secret"]).status_code == 403
    assert house.call("POST", path).status_code == 401
    answered = house.call("POST", path, SERVER)
    assert (answered.status_code, answered.json()["status"]) == (202, "canceling")
    house.goes_on_to_the_end()
    assert house.session(session["id"])["status"] == "expired"
    assert house.session(session["id"])["failure"]["code"] == "session_expired"
    assert house.call("POST", path, SERVER).status_code == 200


def test_an_operator_looks_but_acts_elsewhere(house: House) -> None:
    session = house.opened()
    assert house.get(session["links"]["self"], "op_night").status_code == 200
    assert house.call("POST", session["links"]["cancel"], "op_night").status_code == 403


# --- lists ------------------------------------------------------------------------------------------------------------


def listed(house: House, query: str = "") -> dict[str, Any]:
    answered = house.get(f"/shop/session{query}", SERVER)
    assert answered.status_code == 200, answered.text
    found: dict[str, Any] = answered.json()
    return found


def test_sessions_are_listed_newest_first_page_by_page_also_those_of_one_moment(house: House) -> None:
    made = []
    for _ in range(5):
        made += [house.opened()["id"], house.opened()["id"]]
        house.now += 1000
    seen: list[str] = []
    cursor = ""
    while True:
        page = listed(house, f"?limit=3{cursor}")
        seen += [session["id"] for session in page["data"]]
        if not page["has_more"]:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert page["next_cursor"] is None
    assert sorted(seen) == sorted(made) and len(seen) == len(made)
    assert [house.session(clerk)["created_at"] for clerk in seen] == sorted(
        (house.session(clerk)["created_at"] for clerk in made), reverse=True
    )


def one_of_each(house: House) -> dict[str, str]:
    """A Clerk for each public status, by that status."""
    made = {"completed": house.brings_all()["id"]}
    house.goes_on_to_the_end()
    made["failed"] = house.brings_all()["id"]
    house.answers(house.goes_on_to("ReserveCredit"), "refused")
    house.goes_on_to_the_end()
    for end, path in (("canceled", "cancel"), ("expired", "expire")):
        made[end] = house.opened()["id"]
        house.sent()
        house.call("POST", f"/shop/session/{made[end]}/{path}", SERVER)
        house.goes_on_to_the_end()
    made["canceling"] = house.opened()["id"]
    house.call("POST", f"/shop/session/{made['canceling']}/cancel", SERVER)
    house.sent()
    made["requires_action"] = house.opened(items=ITEMS)["id"]
    house.goes_on_to("AuthorizePayment")
    made["processing"] = house.brings_all()["id"]
    house.goes_on_to("AuthorizePayment")
    made["open"] = house.opened()["id"]
    house.sent()
    return made


def test_each_public_status_finds_its_own_and_nothing_else(house: House) -> None:
    made = one_of_each(house)
    assert {status: house.session(clerk)["status"] for status, clerk in made.items()} == {each: each for each in made}
    for status, clerk in made.items():
        assert [session["id"] for session in listed(house, f"?status={status}")["data"]] == [clerk]


def test_lists_are_filtered_by_customer_reference_and_time(house: House) -> None:
    ada = house.opened(SERVER, customer="ada", client_reference="web-1")["id"]
    house.now += hours(1)
    since = to_wire(house.now)
    house.now += 1
    house.opened(SERVER, customer="grace")
    late = house.opened(SERVER, customer="ada")["id"]
    assert [session["id"] for session in listed(house, "?customer=ada")["data"]] == [late, ada]
    assert [session["id"] for session in listed(house, f"?customer=ada&created_after={since}")["data"]] == [late]
    assert [session["id"] for session in listed(house, "?client_reference=web-1")["data"]] == [ada]
    assert listed(house, "?customer=nobody")["data"] == []


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "limit=x", "status=stuck", "cursor=abc", "created_after=yesterday", "customer="]
)
def test_a_list_that_cannot_be_asked_for_is_refused(house: House, query: str) -> None:
    answered = house.get(f"/shop/session?{query}", SERVER)
    assert (answered.status_code, answered.json()["code"]) == (422, "invalid_request")
    assert answered.json()["param"] == query.split("=", maxsplit=1)[0]


def test_lists_are_the_backends_only(house: House) -> None:
    own = house.opened()["client_secret"]
    assert house.get("/shop/session").status_code == 401
    for key in (own, "wk_hall", "op_night"):
        assert house.get("/shop/session", key).status_code == 403


def test_no_list_scans_ended_clerks(house: House) -> None:
    house.opened()
    plans = {
        "?status=open": "clerks_status",
        "?status=failed": "clerks_status",
        "?customer=ada": "clerks_customer",
        "?client_reference=web-1": "clerks_reference",
        "": "clerks_opened",
    }
    for query, index in plans.items():
        statements = recorded(house, f"/shop/session{query}")
        assert index in plan_of(house, statements[0]), f"{query}: {statements[0]}"


def recorded(house: House, path: str, key: str = SERVER) -> list[tuple[str, Any]]:
    """The statements about Clerks that answering takes."""
    found: list[tuple[str, Any]] = []

    def note(connection: Any, cursor: Any, statement: str, parameters: Any, *rest: Any) -> None:
        if statement.startswith("SELECT") and "clerks" in statement:
            found.append((statement, parameters))

    event.listen(house.database.engine, "before_cursor_execute", note)
    house.get(path, key)
    event.remove(house.database.engine, "before_cursor_execute", note)
    return found


def plan_of(house: House, statement: tuple[str, Any]) -> str:
    with house.database.read() as tx:
        rows = tx.connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement[0]}", statement[1])
        return " | ".join(row[3] for row in rows)


def test_another_manager_on_the_same_data_shows_the_same(house: House, tmp_path: Any) -> None:
    session = house.brings_all()
    second = House(tmp_path, MemoryBroker())
    assert second.session(session["id"]) == house.session(session["id"])
    assert second.get(session["links"]["self"], session["client_secret"]).status_code == 200
    second.database.close()


def test_the_tables_hold_what_the_list_shows(house: House) -> None:
    session = house.opened(client_reference="web-7")
    with house.database.read() as tx:
        row = tx.execute(select(store.clerks)).one()
    assert (row.id, row.client_reference, row.version) == (session["id"], "web-7", session["version"])
