"""The routes `GET /ops/…`: the home page's figures, lists, one Clerk with its timeline, parked messages."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import replace
from typing import Any, get_args
from urllib.parse import quote

import pytest
from sqlalchemy import update

from domain.messages import ParkedNotice
from domain.times import hours, minutes, seconds, to_wire
from messaging.parked import ParkedMessage, park
from shop_manager.engine import rows, tables
from shop_manager.operations import tallies
from shop_manager.operations.api import Sort
from shop_manager.operations.causes import explained
from shop_manager.operations.summary import ENDS
from shop_manager.operations.tallies import count_lately
from shop_manager.operations.timeline import timeline
from shop_manager.processes import ProcessRegistry
from shop_manager.saga.state import HistoryEntry
from shop_manager.sessions import listing
from shop_manager.sessions.listing import ORDERS
from shop_manager.tests.http_harness import ITEMS, SERVER, HttpHarness
from shop_manager.tests.test_sessions_api import one_of_each, plan_of, recorded

OPERATOR = "op_night"
ITEM = {
    "id", "status", "stuck", "step", "waiting_for", "process", "shop", "customer", "total", "currency", "created_at",
    "updated_at", "next_wake_at", "version", "claim", "client_reference",
}  # fmt: skip


def read(harness: HttpHarness, path: str) -> dict[str, Any]:
    answered = harness.get(f"/ops/{path}", OPERATOR)
    assert answered.status_code == 200, answered.text
    found: dict[str, Any] = answered.json()
    return found


def ids(harness: HttpHarness, query: str) -> list[str]:
    return [line["id"] for line in read(harness, f"clerks?{query}")["data"]]


def stuck_one(harness: HttpHarness) -> str:
    """A Clerk whose capture has not been answered in time."""
    clerk: str = harness.brings_all(SERVER, customer="ada")["id"]
    harness.goes_on_to("CapturePayment")
    harness.now += seconds(61)
    harness.ticks()
    harness.sent()
    return clerk


def test_an_end_is_counted_once_whether_or_not_the_tallies_hold_it_yet(harness: HttpHarness) -> None:
    def ends() -> dict[str, int]:
        found = read(harness, "summary")
        assert found["ends_capped"] is False
        return {status: found["counts"][status] for status in ENDS}

    one_of_each(harness)
    assert ends() == dict.fromkeys(ENDS, 1)
    harness.now += minutes(10)
    while not count_lately(harness.database):
        pass
    assert ends() == dict.fromkeys(ENDS, 1)
    one_of_each(harness)
    assert ends() == dict.fromkeys(ENDS, 2)
    harness.now += hours(25)
    assert ends() == dict.fromkeys(ENDS, 0)


def test_more_ends_than_can_be_counted_at_once_are_said_to_be_more(harness: HttpHarness, monkeypatch: Any) -> None:
    monkeypatch.setattr(tallies, "UNCOUNTED", 2)
    one_of_each(harness)
    assert read(harness, "summary")["ends_capped"] is True
    while not count_lately(harness.database):
        pass
    harness.now += minutes(10)
    while not count_lately(harness.database):
        pass
    found = read(harness, "summary")
    assert (found["ends_capped"], found["counts"]["completed"]) == (False, 1)


def test_at_a_step_are_those_that_run_and_those_that_are_undone_in_one_order(harness: HttpHarness) -> None:
    made = []
    for _ in range(3):
        harness.now += seconds(1)
        made.append(harness.opened()["id"])
    harness.call("POST", f"/shop/session/{made[1]}/cancel", SERVER)
    assert ids(harness, "step=shopping") == made[::-1]
    assert ids(harness, "step=shopping&sort=created_at") == made
    paged: list[str] = []
    cursor = ""
    while len(paged) < len(made):
        page = read(harness, f"clerks?step=shopping&process=standard/1&limit=1{cursor}")
        paged += [line["id"] for line in page["data"]]
        cursor = f"&cursor={page['next_cursor']}"
    assert paged == made[::-1]
    assert page["has_more"] is False


@pytest.mark.parametrize("path", ["summary", "clerks", "clerks/clk_1", "clerks/clk_1/timeline", "parked"])
def test_only_operators_come_here(harness: HttpHarness, path: str) -> None:
    own = harness.opened()["client_secret"]
    assert harness.get(f"/ops/{path}").status_code == 401
    for key in (own, SERVER, "wk_hall"):
        assert harness.get(f"/ops/{path}", key).status_code == 403


def test_the_summary_counts_by_status_and_groups_what_is_stuck_by_cause(harness: HttpHarness) -> None:
    made = one_of_each(harness)
    first, second = stuck_one(harness), stuck_one(harness)
    found = read(harness, "summary")
    assert found["counts"] == dict.fromkeys(made, 1) | {"processing": 3}
    assert found["ends_capped"] is False
    [cause] = found["stuck"]["causes"]
    since = read(harness, f"clerks/{first}")["stuck"]["since"]
    words = explained("no_answer", "no_answer", "payment", "capture")
    assert {name: cause.pop(name) for name in ("owner", "means", "move", "then")} == words
    assert cause.pop("next_at") == min(read(harness, f"clerks/{each}")["next_wake_at"] for each in (first, second))
    assert cause == {
        "process": "standard/1",
        "step": "capture",
        "service": "payment",
        "kind": "no_answer",
        "code": "no_answer",
        "count": 2,
        "money_at_risk": {"EUR": 5180},
        "money_to_settle": {},
        "oldest_since": since,
        "oldest_seconds": 61,
        "claimed": 0,
        "snoozed": 0,
        "snoozed_until": None,
        "runbook": None,
        "responsible": None,
    }
    assert found["stuck"]["count"] == 2 and found["stuck"]["money_at_risk"] == {"EUR": 5180}
    assert found["stuck"]["oldest_since"] == since and second != first
    assert found["checked_at"] == to_wire(harness.now)
    assert found["parked"] == 0


def test_an_empty_shop_has_a_summary_too(harness: HttpHarness) -> None:
    found = read(harness, "summary")
    assert set(found["counts"].values()) == {0}
    assert found["stuck"] == {
        "count": 0, "oldest_since": None, "money_at_risk": {}, "money_to_settle": {}, "claimed": 0,
        "snoozed": 0, "snoozed_until": None, "causes": []}  # fmt: skip


def test_a_line_has_exactly_what_dashboard_md_says_and_stuck_stands_beside_the_status(harness: HttpHarness) -> None:
    clerk = stuck_one(harness)
    [line] = read(harness, "clerks?stuck=true")["data"]
    assert set(line) == ITEM
    assert line["status"] == "processing"
    assert line["stuck"] == {
        "since": to_wire(harness.now),
        "kind": "no_answer",
        "step": "capture",
        "service": "payment",
        "code": "no_answer",
        "detail": "payment has not answered in time",
    }
    assert (line["id"], line["step"], line["waiting_for"]) == (clerk, "capture", "service")
    assert (line["customer"], line["total"], line["shop"]) == ("ada", 2590, "squeaky-toys")


def test_clerks_are_found_by_each_filter(harness: HttpHarness) -> None:
    made = one_of_each(harness)
    stuck = stuck_one(harness)
    harness.now += hours(2)
    sounds = harness.opened(SERVER, customer="grace", shop="squeaky-sounds", client_reference="web-9")["id"]
    assert ids(harness, "stuck=true") == ids(harness, "kind=no_answer") == [stuck]
    assert stuck not in ids(harness, "stuck=false") and len(ids(harness, "stuck=false")) == len(made) + 1
    assert ids(harness, "kind=overdue") == []
    assert ids(harness, "step=capture") == [stuck]
    assert ids(harness, "shop=squeaky-sounds") == ids(harness, "process=digital/1") == [sounds]
    assert ids(harness, "customer=grace") == ids(harness, "client_reference=web-9") == [sounds]
    assert sounds not in ids(harness, "older_than=1h") and stuck in ids(harness, "older_than=1h")
    assert ids(harness, "older_than=3h") == []
    assert ids(harness, "status=failed&shop=squeaky-toys") == [made["failed"]]
    assert ids(harness, "status=failed&stuck=true") == []


def test_clerks_are_sorted_as_asked_and_paged_in_that_order(harness: HttpHarness) -> None:
    first = stuck_one(harness)
    harness.now += minutes(1)
    second = stuck_one(harness)
    assert ids(harness, "sort=created_at") == [first, second]
    assert ids(harness, "sort=-created_at") == [second, first]
    assert ids(harness, "sort=stuck_since") == [first, second]
    assert ids(harness, "sort=-stuck_since") == [second, first]
    assert set(ids(harness, "sort=next_wake_at")) == {first, second}
    page = read(harness, "clerks?sort=stuck_since&limit=1")
    assert page["has_more"] is True
    following = read(harness, f"clerks?sort=stuck_since&limit=1&cursor={page['next_cursor']}")
    assert [line["id"] for line in following["data"]] == [second]
    assert following["next_cursor"] is None


def test_a_rare_find_among_very_many_is_reached_page_by_page_with_bounded_work(
    harness: HttpHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "SCAN", 3)
    rare = harness.opened(shop="squeaky-sounds")["id"]
    for _ in range(7):
        harness.now += 1
        harness.opened()
    found: list[str] = []
    pages, cursor = 0, ""
    while True:
        page = read(harness, f"clerks?shop=squeaky-sounds&limit=2{cursor}")
        found += [line["id"] for line in page["data"]]
        pages += 1
        if not page["has_more"]:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert found == [rare]
    assert pages == 3


@pytest.mark.parametrize(
    "query",
    [
        "sort=total",
        "sort=id;drop",
        "kind=angry",
        "status=undoing",
        "older_than=soon",
        "updated_since=lately",
        "limit=201",
        "cursor=x",
    ],
)
def test_S11_a_sort_or_filter_that_is_not_in_the_list_is_refused(harness: HttpHarness, query: str) -> None:
    answered = harness.get(f"/ops/clerks?{query}", OPERATOR)
    assert (answered.status_code, answered.json()["param"]) == (422, query.split("=", maxsplit=1)[0])


def test_S11_the_sorts_that_may_be_asked_for_are_those_of_the_list(harness: HttpHarness) -> None:
    assert set(get_args(Sort)) == set(ORDERS)


@pytest.mark.parametrize("name", ["code", "step", "process", "shop", "customer", "client_reference"])
def test_S11_what_is_asked_for_is_a_value_and_never_sql(harness: HttpHarness, name: str) -> None:
    harness.opened()
    value = quote("x'OR'1'='1")
    assert ids(harness, f"{name}={value}") == []


def test_no_page_of_the_operators_scans_ended_clerks(harness: HttpHarness) -> None:
    harness.opened()
    for path in ("clerks?stuck=true", "clerks?status=completed", "clerks?step=credit", "clerks?shop=x", "summary"):
        for statement in recorded(harness, f"/ops/{path}", OPERATOR):
            plan = plan_of(harness, statement)
            assert "SCAN clerks" not in plan or "USING" in plan.split("SCAN clerks")[1][:20], f"{path}: {plan}"


# --- one Clerk --------------------------------------------------------------------------------------------------------


def test_one_clerk_is_its_line_and_all_that_is_known(harness: HttpHarness) -> None:
    clerk = stuck_one(harness)
    found = read(harness, f"clerks/{clerk}")
    [line] = read(harness, "clerks?stuck=true")["data"]
    assert {name: found[name] for name in ITEM} == line
    assert found["document"]["order"]["total"] == 2590
    assert found["document"]["clerk"]["version"] == found["version"]
    assert found["past_the_pivot"] is True
    assert found["question"]["command"] == "CapturePayment"
    states = {each["step"]: (each["state"], each["attempts"]) for each in found["progress"]}
    assert states["payment"] == ("done", 1) and states["shipping"] == ("to_do", 0)
    assert [each["what"] for each in found["deadlines"]] == ["resend"], "the step's limit has passed"


def test_deadlines_say_what_happens_then(harness: HttpHarness) -> None:
    clerk = harness.opened(items=ITEMS)["id"]
    harness.goes_on_to("AuthorizePayment")
    found = {each["what"]: each for each in read(harness, f"clerks/{clerk}")["deadlines"]}
    assert found["session"]["at"] == to_wire(harness.now + minutes(30))
    assert found["step"]["at"] == to_wire(harness.now + minutes(15))
    assert found["session"]["then"] == found["step"]["then"] == "the order is undone and the session expires"
    assert found["resend"]["then"] == "the same question goes out again; asked once so far"


def test_one_clerk_has_its_version_and_an_unknown_one_is_404(harness: HttpHarness) -> None:
    clerk = stuck_one(harness)
    answered = harness.get(f"/ops/clerks/{clerk}", OPERATOR)
    assert answered.headers["etag"] == f'"{answered.json()["version"]}"'
    known = harness.get(f"/ops/clerks/{clerk}", OPERATOR, If_None_Match=answered.headers["etag"])
    assert known.status_code == 304
    for path in ("clerks/clk_unknown", "clerks/clk_unknown/timeline"):
        assert harness.get(f"/ops/{path}", OPERATOR).json()["code"] == "not_found"


def test_the_timeline_has_history_and_what_was_ignored_in_the_order_of_time(harness: HttpHarness) -> None:
    clerk = harness.brings_all()["id"]
    [command] = harness.sent()
    harness.answers(command)
    harness.now += 5
    harness.answers(command)
    harness.now += 5
    harness.goes_on_to_the_end()
    lines = read(harness, f"clerks/{clerk}/timeline")["data"]
    assert [line["at"] for line in lines] == sorted(line["at"] for line in lines)
    numbers = [line["number"] for line in lines if line["number"] is not None]
    assert numbers == list(range(1, harness.saga(clerk).version + 1))
    [ignored] = [line for line in lines if line["what"] == "ignored"]
    assert ignored["reason"].startswith("repeated")
    assert (ignored["step"], ignored["outcome"], ignored["message"]) == (
        "shopping",
        "done",
        f"{clerk}/shopping/1/do/reply",
    )
    assert 0 < lines.index(ignored) < len(lines) - 1


def test_a_timeline_is_paged(harness: HttpHarness) -> None:
    clerk = harness.brings_all()["id"]
    harness.goes_on_to_the_end()
    whole = read(harness, f"clerks/{clerk}/timeline")["data"]
    page = read(harness, f"clerks/{clerk}/timeline?limit=4")
    rest = read(harness, f"clerks/{clerk}/timeline?limit=200&cursor={page['next_cursor']}")
    assert page["data"] + rest["data"] == whole
    assert rest["has_more"] is False


def test_an_ended_clerk_whose_process_was_taken_out_can_still_be_read(harness: HttpHarness) -> None:
    clerk = harness.brings_all()["id"]
    harness.goes_on_to_the_end()
    saga = replace(harness.saga(clerk), process="standard/0")
    with harness.database.begin() as tx:
        changed = {"process": saga.process, "state": rows.encode_state(saga)}
        tx.execute(update(tables.clerks).values(**changed))
    assert "standard/0" not in ProcessRegistry().by_reference
    assert read(harness, f"clerks/{clerk}")["status"] == "completed"
    assert ids(harness, "process=standard/0") == [clerk]
    assert harness.session(clerk)["progress"][0]["step"] == "shopping"


# --- parked -----------------------------------------------------------------------------------------------------------


def test_parked_messages_of_all_services_are_listed_latest_first_with_their_bytes(harness: HttpHarness) -> None:
    bodies = [b"squeak", b"\xff\xfe", ("ü" * 2_000).encode()]
    for body in bodies:
        harness.now += 1000
        harness.hears(
            ParkedNotice(
                "risk", f"prk_{harness.now}", "not JSON", "risk.commands.v1", None, body, len(body), harness.now
            )
        )
    found = read(harness, "parked")["data"]
    assert [line["service"] for line in found] == ["risk"] * 3
    assert [line["first_at"] for line in found] == sorted((line["first_at"] for line in found), reverse=True)
    long, odd, plain = found
    assert (plain["body"], plain["encoding"], plain["body_cut"], plain["size"]) == ("squeak", "utf-8", False, 6)
    assert (b64decode(odd["body"]), odd["encoding"]) == (b"\xff\xfe", "base64")
    assert (long["body"], long["body_cut"]) == ("ü" * 1_000, True)
    assert read(harness, "summary")["parked"] == 3


def test_parked_messages_are_paged(harness: HttpHarness) -> None:
    with harness.database.begin() as tx:
        messages = [ParkedMessage("risk", "q", "bad", None, b"%d" % number) for number in range(5)]
        park(tx, tables.technical.parked, messages, harness.now)
    first = read(harness, "parked?limit=3")
    rest = read(harness, f"parked?limit=3&cursor={first['next_cursor']}")
    assert {line["body"] for line in first["data"] + rest["data"]} == {"0", "1", "2", "3", "4"}
    assert rest["has_more"] is False


def test_the_times_in_a_timeline_are_rfc_3339() -> None:
    data = {"deadline": 1_800_000_060_000, "resend_at": None, "attempt": 1}
    [line] = timeline([(2, HistoryEntry("asked", 1_800_000_000_000, "credit", data))], [])
    assert line["data"] == {"deadline": "2027-01-15T08:01:00.000Z", "resend_at": None, "attempt": 1}
