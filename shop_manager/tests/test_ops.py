"""What operators read (dashboard.md): the home page's figures, lists, one Clerk with its timeline, parked messages."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import update

from domain.messages import Notice
from domain.times import hours, minutes, seconds, to_wire
from messaging.parked import ParkedMessage, park
from shop_manager import listing, store
from shop_manager.causes import explained
from shop_manager.operations import tallies
from shop_manager.operations.tallies import count_lately
from shop_manager.ops_clerk import timeline
from shop_manager.ops_reads import ENDS
from shop_manager.processes import Catalogue
from shop_manager.saga import Entry
from shop_manager.tests.house import ITEMS, SERVER, House
from shop_manager.tests.test_sessions import one_of_each, plan_of, recorded

OPERATOR = "op_night"
ITEM = {
    "id", "status", "stuck", "step", "waiting_for", "process", "shop", "customer", "total", "currency", "created_at",
    "updated_at", "next_wake_at", "version",
}  # fmt: skip


def read(house: House, path: str) -> dict[str, Any]:
    answered = house.get(f"/ops/{path}", OPERATOR)
    assert answered.status_code == 200, answered.text
    found: dict[str, Any] = answered.json()
    return found


def ids(house: House, query: str) -> list[str]:
    return [line["id"] for line in read(house, f"clerks?{query}")["data"]]


def stuck_one(house: House) -> str:
    """A Clerk whose capture has not been answered in time."""
    clerk: str = house.brings_all(SERVER, customer="ada")["id"]
    house.goes_on_to("CapturePayment")
    house.now += seconds(61)
    house.ticks()
    house.sent()
    return clerk


def test_an_end_is_counted_once_whether_or_not_the_tallies_hold_it_yet(house: House) -> None:
    def ends() -> dict[str, int]:
        found = read(house, "summary")
        assert found["ends_capped"] is False
        return {status: found["counts"][status] for status in ENDS}

    one_of_each(house)
    assert ends() == dict.fromkeys(ENDS, 1)
    house.now += minutes(10)
    while not count_lately(house.database):
        pass
    assert ends() == dict.fromkeys(ENDS, 1)
    one_of_each(house)
    assert ends() == dict.fromkeys(ENDS, 2)
    house.now += hours(25)
    assert ends() == dict.fromkeys(ENDS, 0)


def test_more_ends_than_can_be_counted_at_once_are_said_to_be_more(house: House, monkeypatch: Any) -> None:
    monkeypatch.setattr(tallies, "UNCOUNTED", 2)
    one_of_each(house)
    assert read(house, "summary")["ends_capped"] is True
    while not count_lately(house.database):
        pass
    house.now += minutes(10)
    while not count_lately(house.database):
        pass
    found = read(house, "summary")
    assert (found["ends_capped"], found["counts"]["completed"]) == (False, 1)


def test_at_a_step_are_those_that_run_and_those_that_are_undone_in_one_order(house: House) -> None:
    made = []
    for _ in range(3):
        house.now += seconds(1)
        made.append(house.opened()["id"])
    house.call("POST", f"/shop/session/{made[1]}/cancel", SERVER)
    assert ids(house, "step=shopping") == made[::-1]
    assert ids(house, "step=shopping&sort=created_at") == made
    paged: list[str] = []
    cursor = ""
    while len(paged) < len(made):
        page = read(house, f"clerks?step=shopping&process=standard/1&limit=1{cursor}")
        paged += [line["id"] for line in page["data"]]
        cursor = f"&cursor={page['next_cursor']}"
    assert paged == made[::-1]
    assert page["has_more"] is False


@pytest.mark.parametrize("path", ["summary", "clerks", "clerks/clk_1", "clerks/clk_1/timeline", "parked"])
def test_only_operators_come_here(house: House, path: str) -> None:
    own = house.opened()["client_secret"]
    assert house.get(f"/ops/{path}").status_code == 401
    for key in (own, SERVER, "wk_hall"):
        assert house.get(f"/ops/{path}", key).status_code == 403


def test_the_summary_counts_by_status_and_groups_what_is_stuck_by_cause(house: House) -> None:
    made = one_of_each(house)
    first, second = stuck_one(house), stuck_one(house)
    found = read(house, "summary")
    assert found["counts"] == dict.fromkeys(made, 1) | {"processing": 3}
    assert found["ends_capped"] is False
    [cause] = found["stuck"]["causes"]
    since = read(house, f"clerks/{first}")["stuck"]["since"]
    words = explained("no_answer", "no_answer", "payment", "capture")
    assert {name: cause.pop(name) for name in ("owner", "means", "move", "then")} == words
    assert cause.pop("next_at") == min(read(house, f"clerks/{each}")["next_wake_at"] for each in (first, second))
    assert cause == {
        "process": "standard/1",
        "step": "capture",
        "service": "payment",
        "kind": "no_answer",
        "code": "no_answer",
        "count": 2,
        "money_at_risk": {"EUR": 5180},
        "oldest_since": since,
        "oldest_seconds": 61,
    }
    assert found["stuck"]["count"] == 2 and found["stuck"]["money_at_risk"] == {"EUR": 5180}
    assert found["stuck"]["oldest_since"] == since and second != first
    assert found["checked_at"] == to_wire(house.now)
    assert found["parked"] == 0


def test_an_empty_shop_has_a_summary_too(house: House) -> None:
    found = read(house, "summary")
    assert set(found["counts"].values()) == {0}
    assert found["stuck"] == {"count": 0, "oldest_since": None, "money_at_risk": {}, "causes": []}


def test_a_line_has_exactly_what_dashboard_md_says_and_stuck_stands_beside_the_status(house: House) -> None:
    clerk = stuck_one(house)
    [line] = read(house, "clerks?stuck=true")["data"]
    assert set(line) == ITEM
    assert line["status"] == "processing"
    assert line["stuck"] == {
        "since": to_wire(house.now),
        "kind": "no_answer",
        "step": "capture",
        "service": "payment",
        "code": "no_answer",
        "detail": "payment has not answered in time",
    }
    assert (line["id"], line["step"], line["waiting_for"]) == (clerk, "capture", "service")
    assert (line["customer"], line["total"], line["shop"]) == ("ada", 2590, "squeaky-toys")


def test_clerks_are_found_by_each_filter(house: House) -> None:
    made = one_of_each(house)
    stuck = stuck_one(house)
    house.now += hours(2)
    sounds = house.opened(SERVER, customer="grace", shop="squeaky-sounds", client_reference="web-9")["id"]
    assert ids(house, "stuck=true") == ids(house, "kind=no_answer") == [stuck]
    assert stuck not in ids(house, "stuck=false") and len(ids(house, "stuck=false")) == len(made) + 1
    assert ids(house, "kind=overdue") == []
    assert ids(house, "step=capture") == [stuck]
    assert ids(house, "shop=squeaky-sounds") == ids(house, "process=digital/1") == [sounds]
    assert ids(house, "customer=grace") == ids(house, "client_reference=web-9") == [sounds]
    assert sounds not in ids(house, "older_than=1h") and stuck in ids(house, "older_than=1h")
    assert ids(house, "older_than=3h") == []
    assert ids(house, "status=failed&shop=squeaky-toys") == [made["failed"]]
    assert ids(house, "status=failed&stuck=true") == []


def test_clerks_are_sorted_as_asked_and_paged_in_that_order(house: House) -> None:
    first = stuck_one(house)
    house.now += minutes(1)
    second = stuck_one(house)
    assert ids(house, "sort=created_at") == [first, second]
    assert ids(house, "sort=-created_at") == [second, first]
    assert ids(house, "sort=stuck_since") == [first, second]
    assert ids(house, "sort=-stuck_since") == [second, first]
    assert set(ids(house, "sort=next_wake_at")) == {first, second}
    page = read(house, "clerks?sort=stuck_since&limit=1")
    assert page["has_more"] is True
    following = read(house, f"clerks?sort=stuck_since&limit=1&cursor={page['next_cursor']}")
    assert [line["id"] for line in following["data"]] == [second]
    assert following["next_cursor"] is None


def test_a_rare_find_among_very_many_is_reached_page_by_page_with_bounded_work(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "SCAN", 3)
    rare = house.opened(shop="squeaky-sounds")["id"]
    for _ in range(7):
        house.now += 1
        house.opened()
    found: list[str] = []
    pages, cursor = 0, ""
    while True:
        page = read(house, f"clerks?shop=squeaky-sounds&limit=2{cursor}")
        found += [line["id"] for line in page["data"]]
        pages += 1
        if not page["has_more"]:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert found == [rare]
    assert pages == 3


@pytest.mark.parametrize(
    "query", ["sort=total", "sort=id;drop", "kind=angry", "status=undoing", "older_than=soon", "limit=201", "cursor=x"]
)
def test_a_list_that_cannot_be_asked_for_is_refused(house: House, query: str) -> None:
    answered = house.get(f"/ops/clerks?{query}", OPERATOR)
    assert (answered.status_code, answered.json()["param"]) == (422, query.split("=", maxsplit=1)[0])


def test_no_page_of_the_operators_scans_ended_clerks(house: House) -> None:
    house.opened()
    for path in ("clerks?stuck=true", "clerks?status=completed", "clerks?step=credit", "clerks?shop=x", "summary"):
        for statement in recorded(house, f"/ops/{path}", OPERATOR):
            plan = plan_of(house, statement)
            assert "SCAN clerks" not in plan or "USING" in plan.split("SCAN clerks")[1][:20], f"{path}: {plan}"


# --- one Clerk --------------------------------------------------------------------------------------------------------


def test_one_clerk_is_its_line_and_all_that_is_known(house: House) -> None:
    clerk = stuck_one(house)
    found = read(house, f"clerks/{clerk}")
    [line] = read(house, "clerks?stuck=true")["data"]
    assert {name: found[name] for name in ITEM} == line
    assert found["document"]["order"]["total"] == 2590
    assert found["document"]["clerk"]["version"] == found["version"]
    assert found["past_the_pivot"] is True
    assert found["question"]["command"] == "CapturePayment"
    states = {each["step"]: (each["state"], each["attempts"]) for each in found["progress"]}
    assert states["payment"] == ("done", 1) and states["shipping"] == ("to_do", 0)
    assert [each["what"] for each in found["deadlines"]] == ["step", "resend"]
    assert found["deadlines"][0]["then"] == "nothing more: it is stuck already"


def test_deadlines_say_what_happens_then(house: House) -> None:
    clerk = house.opened(items=ITEMS)["id"]
    house.goes_on_to("AuthorizePayment")
    found = {each["what"]: each for each in read(house, f"clerks/{clerk}")["deadlines"]}
    assert found["session"]["at"] == to_wire(house.now + minutes(30))
    assert found["step"]["at"] == to_wire(house.now + minutes(15))
    assert found["session"]["then"] == found["step"]["then"] == "the order is undone and the session expires"
    assert found["resend"]["then"] == "the same question goes out again; asked once so far"


def test_one_clerk_has_its_version_and_an_unknown_one_is_404(house: House) -> None:
    clerk = stuck_one(house)
    answered = house.get(f"/ops/clerks/{clerk}", OPERATOR)
    assert answered.headers["etag"] == f'"{answered.json()["version"]}"'
    known = house.get(f"/ops/clerks/{clerk}", OPERATOR, If_None_Match=answered.headers["etag"])
    assert known.status_code == 304
    for path in ("clerks/clk_unknown", "clerks/clk_unknown/timeline"):
        assert house.get(f"/ops/{path}", OPERATOR).json()["code"] == "not_found"


def test_the_timeline_has_history_and_what_was_ignored_in_the_order_of_time(house: House) -> None:
    clerk = house.brings_all()["id"]
    [command] = house.sent()
    house.answers(command)
    house.now += 5
    house.answers(command)
    house.now += 5
    house.goes_on_to_the_end()
    lines = read(house, f"clerks/{clerk}/timeline")["data"]
    assert [line["at"] for line in lines] == sorted(line["at"] for line in lines)
    numbers = [line["number"] for line in lines if line["number"] is not None]
    assert numbers == list(range(1, house.saga(clerk).version + 1))
    [ignored] = [line for line in lines if line["what"] == "ignored"]
    assert ignored["reason"].startswith("repeated")
    assert (ignored["step"], ignored["outcome"], ignored["message"]) == (
        "shopping",
        "done",
        f"{clerk}/shopping/1/do/reply",
    )
    assert 0 < lines.index(ignored) < len(lines) - 1


def test_a_timeline_is_paged(house: House) -> None:
    clerk = house.brings_all()["id"]
    house.goes_on_to_the_end()
    whole = read(house, f"clerks/{clerk}/timeline")["data"]
    page = read(house, f"clerks/{clerk}/timeline?limit=4")
    rest = read(house, f"clerks/{clerk}/timeline?limit=200&cursor={page['next_cursor']}")
    assert page["data"] + rest["data"] == whole
    assert rest["has_more"] is False


def test_an_ended_clerk_whose_process_was_taken_out_can_still_be_read(house: House) -> None:
    clerk = house.brings_all()["id"]
    house.goes_on_to_the_end()
    saga = replace(house.saga(clerk), process="standard/0")
    with house.database.begin() as tx:
        changed = {"process": saga.process, "state": store._state(saga)}
        tx.execute(update(store.clerks).values(**changed))
    assert "standard/0" not in Catalogue().by_reference
    assert read(house, f"clerks/{clerk}")["status"] == "completed"
    assert ids(house, "process=standard/0") == [clerk]
    assert house.session(clerk)["progress"][0]["step"] == "shopping"


# --- parked -----------------------------------------------------------------------------------------------------------


def test_parked_messages_of_all_services_are_listed_latest_first_with_their_bytes(house: House) -> None:
    bodies = [b"squeak", b"\xff\xfe", ("ü" * 2_000).encode()]
    for body in bodies:
        house.now += 1000
        house.hears(
            Notice("risk", f"prk_{house.now}", "not JSON", "risk.commands.v1", None, body, len(body), house.now)
        )
    found = read(house, "parked")["data"]
    assert [line["service"] for line in found] == ["risk"] * 3
    assert [line["first_at"] for line in found] == sorted((line["first_at"] for line in found), reverse=True)
    long, odd, plain = found
    assert (plain["body"], plain["encoding"], plain["body_cut"], plain["size"]) == ("squeak", "utf-8", False, 6)
    assert (b64decode(odd["body"]), odd["encoding"]) == (b"\xff\xfe", "base64")
    assert (long["body"], long["body_cut"]) == ("ü" * 1_000, True)
    assert read(house, "summary")["parked"] == 3


def test_parked_messages_are_paged(house: House) -> None:
    with house.database.begin() as tx:
        messages = [ParkedMessage("risk", "q", "bad", None, b"%d" % number) for number in range(5)]
        park(tx, store.schema.parked, messages, house.now)
    first = read(house, "parked?limit=3")
    rest = read(house, f"parked?limit=3&cursor={first['next_cursor']}")
    assert {line["body"] for line in first["data"] + rest["data"]} == {"0", "1", "2", "3", "4"}
    assert rest["has_more"] is False


def test_the_times_in_a_timeline_are_rfc_3339() -> None:
    data = {"deadline": 1_800_000_060_000, "resend_at": None, "attempt": 1}
    [line] = timeline([(2, Entry("asked", 1_800_000_000_000, "credit", data))], [])
    assert line["data"] == {"deadline": "2027-01-15T08:01:00.000Z", "resend_at": None, "attempt": 1}
