"""What happened: who is told of with which words, that a healthy order writes nothing, filters, pages, hours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from domain.messages import SHOP_MANAGER, answer
from domain.times import hours, minutes, seconds, to_wire
from messaging.envelope import encode
from messaging.parked import ParkedMessage, park
from shop_manager.engine.tables import technical
from shop_manager.operations.parked_activity import AGAIN, OTHERS, REASONS, tell_of_parked
from shop_manager.operations.repairs import Repairs
from shop_manager.tests.http_harness import SERVER, HttpHarness
from shop_manager.tests.test_operations_parked_acts import parked_command, parked_here

VIEWER, DAY, BOSS = "op_night", "op_day", "op_boss"
WHY = {"reason": "the provider is well again"}


def feed(harness: HttpHarness, **asked: Any) -> list[dict[str, Any]]:
    answered = harness.call("GET", "/ops/activity", VIEWER, params=asked)
    assert answered.status_code == 200, answered.text
    found: list[dict[str, Any]] = answered.json()["data"]
    return found


def told(harness: HttpHarness, **asked: Any) -> list[tuple[str, str]]:
    return [(line["kind"], line["what"]) for line in feed(harness, **asked)]


def stuck_at_capture(harness: HttpHarness) -> str:
    harness.sent()
    clerk: str = harness.brings_all(SERVER)["id"]
    harness.goes_on_to("CapturePayment")
    harness.now += seconds(61)
    harness.ticks()
    return clerk


def act(harness: HttpHarness, clerk: str, action: str, key: str = DAY, **more: Any) -> None:
    seen = {"If-Match": f'"{harness.saga(clerk).version}"'}
    body = {"action": action, **WHY, **more}
    answered = harness.call("POST", f"/ops/clerks/{clerk}/actions", key, json=body, headers=seen)
    assert answered.is_success, answered.text


def answers_capture(harness: HttpHarness) -> None:
    [*_, command] = [each for each in harness.sent() if each.name == "CapturePayment"]
    harness.answers(command)


def test_an_order_that_never_gets_stuck_writes_nothing(harness: HttpHarness) -> None:
    clerk = harness.brings_all(SERVER)["id"]
    harness.goes_on_to_the_end()
    assert harness.saga(clerk).status == "completed"
    assert feed(harness) == []


def test_to_become_stuck_and_to_go_on_by_itself_is_told_with_its_cause(harness: HttpHarness) -> None:
    clerk = stuck_at_capture(harness)
    since = harness.now
    harness.now += minutes(5)
    answers_capture(harness)
    healed, stuck = feed(harness)
    about = {"clerk": clerk, "process": "standard/1", "step": "capture", "service": "payment", "cause": "no_answer",
             "code": "no_answer", "detail": "payment has not answered in time"}  # fmt: skip
    assert stuck == stuck | about | {"kind": "stuck", "what": "no_answer", "at": to_wire(since), "who": None}
    by_itself = {"kind": "healed", "what": "by_itself", "who": None, "began_at": to_wire(since)}
    assert healed == healed | about | by_itself | {"at": to_wire(harness.now)}


def settled(harness: HttpHarness, clerk: str) -> None:
    act(harness, clerk, "settle", step="capture", outcome="done", evidence="seen at the provider's")


def retried(harness: HttpHarness, clerk: str) -> None:
    harness.sent()
    act(harness, clerk, "retry")
    answers_capture(harness)


def test_more_time_heals_nothing_and_is_told_as_an_act(harness: HttpHarness) -> None:
    clerk = stuck_at_capture(harness)
    act(harness, clerk, "extend", until=to_wire(harness.now + hours(2)))
    assert harness.saga(clerk).stuck is None
    assert told(harness) == [("act", "extend"), ("stuck", "no_answer")]


def test_a_claim_stands_where_its_order_was_and_what_changes_nothing_is_no_news(harness: HttpHarness) -> None:
    clerk = stuck_at_capture(harness)
    for action in ("claim", "claim", "release", "release"):
        harness.now += seconds(1)
        assert harness.call("POST", f"/ops/clerks/{clerk}/claim", DAY, json={"action": action}).is_success
    assert told(harness, kind="act", step="capture") == [("act", "release"), ("act", "claim")]


@pytest.mark.parametrize(("heals", "how"), [(settled, "settle"), (retried, "retry")])
def test_who_healed_a_clerk_is_told_by_name(
    harness: HttpHarness, heals: Callable[[HttpHarness, str], None], how: str
) -> None:
    clerk = stuck_at_capture(harness)
    heals(harness, clerk)
    [healed] = feed(harness, kind="healed")
    assert (healed["what"], healed["who"]) == (how, "day")
    [done] = feed(harness, kind="act")
    assert done == done | {"what": how, "who": "day", "clerk": clerk, "target": f"clerk:{clerk}", "step": "capture"}
    assert done["detail"] == WHY["reason"]


def stuck_undoing(harness: HttpHarness) -> str:
    clerk: str = harness.brings_all(SERVER)["id"]
    harness.answers(harness.goes_on_to("AuthorizePayment"), "refused")
    while harness.saga(clerk).stuck is None:
        cannot(harness, clerk)
    return clerk


def cannot(harness: HttpHarness, clerk: str, code: str = "no") -> None:
    """Its service answers that it cannot now, and is asked anew."""
    harness.answers(harness.sent()[-1], "refused", code)
    harness.now = harness.saga(clerk).resend.at  # type: ignore[union-attr]  # a paused question has one
    harness.ticks()


def test_a_retry_of_before_heals_nothing_that_is_asked_anew_by_itself(harness: HttpHarness) -> None:
    clerk = stuck_undoing(harness)
    act(harness, clerk, "retry")
    cannot(harness, clerk)
    harness.answers(harness.sent()[-1])
    assert told(harness, kind="healed") == [("healed", "by_itself")]


def test_undo_heals_a_stuck_clerk_once_the_undo_is_answered_by_whoever_did_it(harness: HttpHarness) -> None:
    clerk, _ = parked_command(harness)
    act(harness, clerk, "undo")
    assert told(harness) == [("act", "undo"), ("stuck", "parked_message")]
    harness.goes_on_to_the_end()
    healed = feed(harness)[0]
    assert (healed["kind"], healed["what"], healed["who"]) == ("healed", "undo", "day")


def test_acts_are_told_once_and_refused_ones_logins_and_bulk_items_are_not(harness: HttpHarness) -> None:
    clerk = stuck_at_capture(harness)
    act(harness, clerk, "note")
    refused = harness.call(
        "POST", f"/ops/clerks/{clerk}/actions", VIEWER, json={"action": "retry", **WHY}, headers={"If-Match": '"1"'}
    )
    assert refused.status_code == 403
    asked = {"action": "retry", **WHY, "filter": {"stuck": True}}
    bulk = harness.call("POST", "/ops/bulk", BOSS, json=asked).json()["id"]
    for _ in range(2):
        assert harness.call("POST", f"/ops/bulk/{bulk}/start", BOSS, json={"per_minute": 600}).is_success
    harness.operations.bulk_run.tick()
    acts = feed(harness, kind="act")
    assert [(each["what"], each["who"], each["count"]) for each in acts] == [
        ("bulk_start", "boss", 1),
        ("note", "day", 1),
    ]
    assert acts[0]["bulk"] == {"id": bulk, "action": "retry", "status": acts[0]["bulk"]["status"]}
    harness.answers(harness.sent()[-1])
    assert [(each["what"], each["who"]) for each in feed(harness, kind="healed")] == [("retry", "boss")]


def test_a_repair_from_the_command_line_is_told(harness: HttpHarness) -> None:
    clerk = stuck_at_capture(harness)
    Repairs(harness.manager).ask_again(clerk)
    assert told(harness, kind="act") == [("act", "repair")]


def parked_noise(harness: HttpHarness, count: int = 1, reason: str = "no JSON", service: str = "risk") -> None:
    noise = [ParkedMessage(service, "commands", reason, None, f"{reason}{number}".encode()) for number in range(count)]
    with harness.database.begin() as tx:
        park(tx, technical.parked, noise, harness.now)


def test_parked_messages_are_one_line_for_each_reason_and_minute_with_their_count(harness: HttpHarness) -> None:
    parked_noise(harness, 3)
    tell_of_parked(harness.database)
    tell_of_parked(harness.database)
    harness.now += 1_000
    parked_noise(harness, 1, "not signed", SHOP_MANAGER)
    tell_of_parked(harness.database)
    lines = [(each["service"], each["detail"], each["count"]) for each in feed(harness, kind="parked")]
    assert lines == [(SHOP_MANAGER, "not signed", 1), ("risk", "no JSON", 3)]
    assert feed(harness, service=SHOP_MANAGER)[0]["target"].startswith("parked:prk_")


def test_more_of_the_same_minute_are_counted_on_their_line_and_an_idle_look_writes_nothing(
    harness: HttpHarness,
) -> None:
    parked_noise(harness, 2)
    tell_of_parked(harness.database)
    parked_noise(harness, 5)
    tell_of_parked(harness.database)
    assert [each["count"] for each in feed(harness)] == [5]
    before = harness.database.commits
    tell_of_parked(harness.database)
    harness.now += AGAIN
    tell_of_parked(harness.database)
    assert harness.database.commits == before


def test_reasons_that_differ_in_a_clerk_only_are_one_line(harness: HttpHarness) -> None:
    for number in range(3):
        parked_noise(harness, 1, f"there is no Clerk clk_{number}")
    tell_of_parked(harness.database)
    assert [(each["detail"], each["count"]) for each in feed(harness)] == [("there is no Clerk clk_…", 3)]


def test_a_flood_of_reasons_is_no_flood_of_lines(harness: HttpHarness) -> None:
    for number in range(REASONS + 5):
        parked_noise(harness, 1, f"reason {number}")
    tell_of_parked(harness.database)
    lines = feed(harness, kind="parked", limit=200)
    assert len(lines) == REASONS + 1
    assert {each["detail"]: each["count"] for each in lines}[OTHERS] == 5


def replays(harness: HttpHarness, parked: str, action: str = "replay") -> None:
    answered = harness.call("POST", f"/ops/parked/{parked}/actions", DAY, json={"action": action, **WHY})
    assert answered.is_success, answered.text


def test_a_parked_message_that_is_discarded_twice_is_told_once(harness: HttpHarness) -> None:
    parked_noise(harness)
    parked = harness.get("/ops/parked", VIEWER).json()["data"][0]["id"]
    for _ in range(2):
        replays(harness, parked, "discard")
    [line] = feed(harness, kind="parked")
    assert (line["what"], line["who"], line["service"]) == ("discarded", "day", "risk")


def test_a_replayed_command_heals_as_a_retry_and_a_replayed_reply_as_a_replay(harness: HttpHarness) -> None:
    parked_command(harness)
    replays(harness, "prk_1")
    harness.goes_on_to_the_end()
    stuck_at_capture(harness)
    command = next(each for each in harness.sent() if each.name == "CapturePayment")
    reply = answer(command, "done", {**command.document, "payment": {"status": "captured"}}, harness.now)
    replays(harness, parked_here(harness, b"[" + encode(reply) + b"]", sender="payment"))
    assert [(each["what"], each["who"]) for each in feed(harness, kind="healed")] == [
        ("replay", "day"),
        ("retry", "day"),
    ]
    assert [each["what"] for each in feed(harness, kind="parked")] == ["replayed", "replayed"]


def test_an_outage_of_shop_manager_is_told_from_when_to_when(harness: HttpHarness) -> None:
    harness.outages.beat()
    began = harness.now
    harness.now += seconds(30)
    harness.outages.beat()
    ended_line, began_line = feed(harness, kind="outage")
    assert (began_line["what"], began_line["at"], began_line["service"]) == ("began", to_wire(began), SHOP_MANAGER)
    assert (ended_line["what"], ended_line["at"], ended_line["began_at"]) == (
        "ended",
        to_wire(harness.now),
        to_wire(began),
    )


def test_each_filter_leaves_only_what_fits(harness: HttpHarness) -> None:
    stuck_at_capture(harness)
    at = to_wire(harness.now)
    harness.now += minutes(1)
    clerk = stuck_at_capture(harness)
    settled(harness, clerk)
    everything = feed(harness)
    for asked, fits in {
        "kind=stuck": lambda line: line["kind"] == "stuck",
        "service=payment": lambda line: line["service"] == "payment",
        "step=capture": lambda line: line["step"] == "capture",
        "cause=no_answer": lambda line: line["cause"] == "no_answer",
        "code=no_answer": lambda line: line["code"] == "no_answer",
        "who=DAY": lambda line: line["who"] == "day",
        "process=standard/1": lambda line: line["process"] == "standard/1",
        f"since={at}": lambda line: line["at"] >= at,
        f"until={at}": lambda line: line["at"] < at,
        "service=risk": lambda line: False,
        "kind=healed&who=day&step=capture": lambda line: line["kind"] == "healed",
    }.items():
        found = feed(harness, **dict(each.split("=") for each in asked.split("&")))
        assert found == [line for line in everything if fits(line)], asked  # type: ignore[no-untyped-call]


def test_pages_follow_each_other_and_miss_nothing_of_one_moment(harness: HttpHarness) -> None:
    clerk = harness.brings_all(SERVER)["id"]
    for _ in range(5):
        act(harness, clerk, "note")
    seen: list[int] = []
    cursor: dict[str, Any] = {}
    while True:
        page = harness.call("GET", "/ops/activity", VIEWER, params={"limit": 2, **cursor}).json()
        seen += [line["number"] for line in page["data"]]
        if not page["has_more"]:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert seen == sorted(seen, reverse=True) and len(seen) == 5


def test_what_is_no_time_is_said_and_no_cursor_of_another_list_is_taken(harness: HttpHarness) -> None:
    for asked in ({"since": "yesterday"}, {"until": "2026-01-01T00:00:00"}, {"cursor": "x"}, {"kind": "other"}):
        answered = harness.call("GET", "/ops/activity", VIEWER, params=asked)
        assert answered.status_code == 422 and next(iter(asked)) in answered.text, asked


def test_the_last_hour_stands_beside_the_hour_before_with_the_difference(harness: HttpHarness) -> None:
    stuck_at_capture(harness)
    harness.now += hours(1)
    for _ in range(3):
        clerk = stuck_at_capture(harness)
    settled(harness, clerk)
    compared = harness.get("/ops/activity/hours", VIEWER).json()
    counts = {(each["kind"], each["what"]): each for each in compared["kinds"]}
    stuck = counts["stuck", None]
    assert (stuck["last_hour"], stuck["hour_before"], stuck["difference"]) == (3, 1, 2)
    assert counts["healed", None]["difference"] == counts["act", None]["difference"] == 1
    assert counts["deploy", None]["last_hour"] == counts["deploy", None]["hour_before"] == 0
    only = harness.call("GET", "/ops/activity/hours", VIEWER, params={"kind": "stuck", "who": "day"}).json()["kinds"]
    assert [(each["kind"], each["last_hour"]) for each in only] == [("stuck", 0)]


def test_who_is_stuck_in_other_words_became_stuck_once(harness: HttpHarness) -> None:
    clerk = stuck_undoing(harness)
    cannot(harness, clerk, "closed")
    assert told(harness, kind="stuck") == [("stuck", "undo_failing")]
    harness.goes_on_to_the_end()
    assert [each["code"] for each in feed(harness, kind="healed")] == ["closed"]
