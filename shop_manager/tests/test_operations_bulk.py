"""Bulk acts (semantics O4): frozen at the preview, paced, stopped, resumed, each item with its outcome."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from domain.times import minutes, seconds
from shop_manager.operations import Operations
from shop_manager.tests.house import House
from shop_manager.tests.test_operations_acts import DAY, WHY, act, audit
from shop_manager.tests.test_operations_parked import parked_here
from shop_manager.tests.test_ops import read, stuck_one

BOSS = "op_boss"


def post(house: House, path: str, key: str = BOSS, **body: Any) -> httpx.Response:
    return house.call("POST", f"/ops/bulk{path}", key, json=body)


def previewed(house: House, **body: Any) -> dict[str, Any]:
    answered = post(house, "", reason=WHY, **body)
    assert answered.status_code == 201, answered.text
    found: dict[str, Any] = answered.json()
    assert answered.headers["location"] == f"/ops/bulk/{found['id']}"
    return found


def progress(house: House, bulk: str) -> dict[str, int]:
    found: dict[str, int] = read(house, f"bulk/{bulk}")["progress"]
    return {name: count for name, count in found.items() if count}


def test_O4_a_preview_freezes_ids_count_and_money_and_does_nothing(house: House) -> None:
    first, second = stuck_one(house), stuck_one(house)
    found = previewed(house, action="retry", filter={"stuck": True, "kind": "no_answer"})
    third = stuck_one(house)
    assert (found["status"], found["count"], found["money"]) == ("preview", 2, {"EUR": 5180})
    assert {item["target"] for item in found["items"]["data"]} == {first, second}
    house.operations.bulk_run.tick()
    assert house.saga(first).stuck and progress(house, found["id"]) == {"left": 2}
    post(house, f"/{found['id']}/start", per_minute=1200)
    house.now += seconds(1)
    house.operations.bulk_run.tick()
    assert read(house, f"bulk/{found['id']}")["status"] == "finished"
    assert house.saga(first).stuck is None and house.saga(second).stuck is None and house.saga(third).stuck


def test_O4_what_changed_since_the_preview_is_skipped_and_told(house: House) -> None:
    clerks = [stuck_one(house) for _ in range(3)]
    found = previewed(house, action="retry", ids=clerks)
    act(house, clerks[1], "note")
    post(house, f"/{found['id']}/start", per_minute=1200)
    house.now += seconds(1)
    house.operations.bulk_run.tick()
    items = {item["target"]: item for item in read(house, f"bulk/{found['id']}")["items"]["data"]}
    assert [items[clerk]["outcome"] for clerk in clerks] == ["done", "skipped", "done"]
    assert "version" in items[clerks[1]]["detail"]
    assert [line["who"] for line in audit(house, clerks[0])] == ["boss"]


def test_O4_it_runs_paced_can_be_stopped_and_goes_on_in_another_process(house: House, tmp_path: Path) -> None:
    clerks = [stuck_one(house) for _ in range(4)]
    bulk = previewed(house, action="note", ids=clerks)["id"]
    assert post(house, f"/{bulk}/start", per_minute=6).json()["status"] == "running"
    for _ in range(5):
        house.operations.bulk_run.tick()
    assert progress(house, bulk) == {"done": 1, "left": 3}
    house.now += seconds(10)
    house.operations.bulk_run.tick()
    assert progress(house, bulk) == {"done": 2, "left": 2}
    assert post(house, f"/{bulk}/stop").json()["status"] == post(house, f"/{bulk}/stop").json()["status"] == "stopped"
    house.now += minutes(5)
    house.operations.bulk_run.tick()
    assert progress(house, bulk) == {"done": 2, "left": 2}
    post(house, f"/{bulk}/start", per_minute=60)
    restarted = Operations(house.sessions)
    for _ in range(3):
        restarted.bulk_run.tick()
        house.operations.bulk_run.tick()
        house.now += seconds(1)
    assert read(house, f"bulk/{bulk}")["status"] == "finished"
    notes = [line["what"] for clerk in clerks for line in read(house, f"clerks/{clerk}/timeline")["data"]]
    assert notes.count("note") == 4
    assert post(house, f"/{bulk}/start", per_minute=60).json()["code"] == "not_allowed_now"


def test_O4_an_outcome_says_why_an_item_was_refused(house: House) -> None:
    late = stuck_one(house)
    bulk = previewed(house, action="undo", ids=[late])["id"]
    post(house, f"/{bulk}/start", per_minute=60)
    house.operations.bulk_run.tick()
    [item] = read(house, f"bulk/{bulk}")["items"]["data"]
    assert (item["outcome"], "point of no return" in item["detail"]) == ("refused", True)


def test_O4_parked_messages_are_discarded_in_bulk(house: House) -> None:
    parked = [parked_here(house, b"%d" % number) for number in range(3)]
    found = previewed(house, action="discard", filter={"service": "shop_manager"})
    assert found["count"] == 3
    post(house, f"/{found['id']}/start", per_minute=1200)
    house.now += seconds(1)
    house.operations.bulk_run.tick()
    assert {read(house, f"parked/{each}")["state"] for each in parked} == {"discarded"}


@pytest.mark.parametrize(
    ("body", "param"),
    [({"action": "retry"}, "$.filter"), ({"action": "retry", "ids": ["clk_no"]}, "$.ids"),
     ({"action": "retry", "ids": ["a"], "filter": {}}, "$.filter"), ({"action": "extend", "filter": {}}, "$.until"),
     ({"action": "settle", "filter": {}}, "$.action"), ({"action": "retry", "filter": {"age": 1}}, "$.filter.age"),
     ({"action": "discard", "filter": {"stuck": True}}, "$.filter")],
)  # fmt: skip
def test_a_bulk_act_that_cannot_be_is_refused(house: House, body: dict[str, Any], param: str) -> None:
    answered = post(house, "", reason=WHY, **body)
    assert (answered.status_code, answered.json()["param"]) == (422, param)


def test_S9_bulk_is_for_admins_and_others_attempts_are_written_down(house: House) -> None:
    clerk = stuck_one(house)
    bulk = previewed(house, action="retry", ids=[clerk])["id"]
    assert post(house, "", DAY, action="retry", ids=[clerk], reason=WHY).status_code == 403
    assert post(house, f"/{bulk}/start", DAY, per_minute=60).status_code == 403
    assert post(house, f"/{bulk}/stop", DAY).status_code == 403
    assert len(read(house, "audit?who=day&outcome=forbidden")["data"]) == 3
    assert read(house, "bulk")["data"][0]["id"] == bulk
    assert house.saga(clerk).stuck
