"""`clerk up --faults`: who may use the switchboard, what it refuses, and every way to be stuck, healed by lifting."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from clerk_cli.loopback import is_loopback
from clerk_cli.tests.faults_shop import FaultyShop, faulty_shop
from clerk_cli.tests.processes import clerk
from messaging.tests.brokers import broker_url, without_queues


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultyShop]:
    with faulty_shop(tmp_path_factory.mktemp("faults")) as shop:
        yield shop
        shop.running.signal(signal.SIGTERM)
        assert shop.running.ended(within=5.0) == 0


@pytest.fixture
def shop(running: FaultyShop) -> Iterator[FaultyShop]:
    yield running
    running.lift()


# --- the HTTP API ----------------------------------------------------------------------------------------------------


def test_faults_are_refused_on_a_host_that_others_reach(tmp_path: Path) -> None:
    with clerk("up", "--faults", "--host", "0.0.0.0", "--port", "0", folder=tmp_path) as running:
        assert running.ended() == 2
        assert running.errors == (
            "clerk: --faults is for development only: host is '0.0.0.0', allowed are 127.0.0.1 and localhost\n"
        )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("127.0.0.2", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False),
     ("192.0.2.1", False), ("::ffff:192.0.2.1", False), ("localhost.example", False), ("", False)],
)  # fmt: skip
def test_only_this_machines_own_addresses_are_loopback(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


def test_without_the_flag_there_is_no_such_route(tmp_path: Path) -> None:
    with clerk("up", "--port", "0", folder=tmp_path) as running:
        url = running.url
        assert [httpx.request(method, f"{url}/dev/faults").status_code for method in ("GET", "POST", "DELETE")] == [
            404, 404, 404
        ]  # fmt: skip
        assert "/dev/faults" not in httpx.get(f"{url}/openapi.json").json()["paths"]


def test_the_routes_are_described_and_the_greeting_names_them(shop: FaultyShop) -> None:
    assert shop.call("GET", "/openapi.json").json()["paths"]["/dev/faults"].keys() == {"get", "post", "delete"}
    assert any(f"{shop.url}/dev/faults" in line for line in shop.running.lines)


def test_whoever_is_on_this_machine_may_use_it_without_any_key(shop: FaultyShop) -> None:
    fault = {"service": "risk", "fault": "refuse", "step": "credit"}
    assert shop.call("POST", "/dev/faults", fault, {}).status_code == 201
    assert [each["fault"] for each in shop.call("GET", "/dev/faults", headers={}).json()["data"]] == ["refuse"]
    assert shop.call("DELETE", "/dev/faults", headers={}).json()["data"] == []
    assert shop.call("POST", "/dev/faults", fault, {"Origin": shop.url}).status_code == 201  # our own pages


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"Origin": "https://evil.example"}, 403), ({"Origin": "null"}, 403), ({"Host": "evil.example"}, 403),
     ({"Host": "[::"}, 403)],
)  # fmt: skip
def test_a_strangers_web_page_can_break_nothing_through_a_browser_here(
    shop: FaultyShop, headers: dict[str, str], status: int
) -> None:
    for method, content in (("GET", None), ("POST", {"service": "risk", "fault": "pause"}), ("DELETE", None)):
        response = shop.call(method, "/dev/faults", content, headers)
        assert (response.status_code, response.json()["code"]) == (status, "forbidden"), response.text
    assert shop.in_force() == []


def test_what_is_in_force_is_listed_with_what_is_left_of_it(shop: FaultyShop) -> None:
    made = shop.put("risk", "refuse", step="credit", times=3)
    shop.put("payment", "pause", seconds=60)
    first, second = shop.in_force()
    assert first == made == {
        "id": made["id"], "service": "risk", "fault": "refuse", "step": "credit", "name": None, "clerk": None,
        "attempt": None, "times": 3, "seconds": None, "met": 0, "left": 3, "seconds_left": None,
    }  # fmt: skip
    assert (second["service"], second["fault"]) == ("payment", "pause")
    assert 0 < second["seconds_left"] <= 60
    shop.put("payment", "resume")
    assert [each["id"] for each in shop.in_force()] == [made["id"]]


def test_a_fault_of_one_attempt_at_one_clerk_leaves_the_others_alone_and_is_over_when_it_is_asked_anew(
    shop: FaultyShop,
) -> None:
    order = shop.order(None)
    shop.put("payment", "drop_replies", step="payment", clerk=order, attempt=1)
    other = shop.order()
    shop.becomes(other, "completed")
    shop.reaches(order, "payment", "waiting")
    assert shop.call("POST", f"/payment/{order}", {"token": "tok_ok"}).status_code == 202
    shop.until(lambda: shop.in_force()[0]["met"] > 0, "its answer is lost")
    assert shop.step(order, "payment") == "waiting"
    seen = shop.call("GET", f"/ops/clerks/{order}", headers=shop.operator).headers["etag"]
    retry = {"action": "retry", "reason": "its answer was lost"}
    shop.call("POST", f"/ops/clerks/{order}/actions", retry, {**shop.operator, "If-Match": seen})
    shop.becomes(order, "completed")


@pytest.mark.parametrize(
    ("body", "params"),
    [
        ({}, ["$.service", "$.fault"]),
        ({"service": "bank", "fault": "flood"}, ["$.service", "$.fault"]),
        ({"service": "risk", "fault": "pause", "times": 1, "bytes": ""}, ["$.bytes", "$.times"]),
        ({"service": "risk", "fault": "resume", "seconds": 1}, ["$.seconds"]),
        ({"service": "risk", "fault": "resume", "clerk": "clk_1", "attempt": 1}, ["$.attempt", "$.clerk"]),
        ({"service": "risk", "fault": "refuse", "clerk": "", "attempt": 0}, ["$.clerk", "$.attempt"]),
        ({"service": "risk", "fault": "delay"}, ["$.seconds"]),
        ({"service": "risk", "fault": "delay", "seconds": 0}, ["$.seconds"]),
        ({"service": "risk", "fault": "refuse", "times": 0}, ["$.times"]),
        ({"service": "risk", "fault": "refuse", "times": "1"}, ["$.times"]),
        ({"service": "risk", "fault": "refuse", "step": "stock"}, ["$.step"]),
        ({"service": "payment", "fault": "fail_undo", "step": "capture"}, ["$.step"]),
        ({"service": "risk", "fault": "crash", "name": "everything"}, ["$.name"]),
        ({"service": "shop_manager", "fault": "refuse"}, ["$.service"]),
        ({"service": "risk", "fault": "send_raw"}, ["$.bytes"]),
        ({"service": "risk", "fault": "send_raw", "bytes": "no base64!"}, ["$.bytes"]),
        ({"service": "risk", "fault": "send_raw", "bytes": "Pz8=", "step": "credit"}, ["$.step"]),
        ({"service": "risk", "fault": "pause", "until": "dawn"}, ["$.until"]),
    ],
)
def test_a_body_that_makes_no_sense_is_refused_field_by_field(
    shop: FaultyShop, body: dict[str, Any], params: list[str]
) -> None:
    answer = shop.call("POST", "/dev/faults", body)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "invalid_request")
    assert [each["param"] for each in problem["errors"]] == params
    assert shop.in_force() == []


# --- faults that heal by themselves ----------------------------------------------------------------------------------


def test_a_paused_service_is_asked_in_vain_until_it_is_resumed(shop: FaultyShop) -> None:
    shop.put("risk", "pause")
    session = shop.order()
    shop.reaches(session, "credit", "asked")
    ready = shop.call("GET", "/health/ready")
    assert (ready.status_code, ready.json()["checks"]["broker"]["detail"]) == (503, "risk: paused by a fault")
    assert shop.step(session, "credit") == "asked"
    shop.put("risk", "resume")
    shop.becomes(session, "completed")


@pytest.mark.parametrize("service", ["shop_manager", "shop", "risk", "payment", "fulfillment"])
def test_B2_a_service_that_dies_in_the_middle_of_its_next_batch_goes_on(shop: FaultyShop, service: str) -> None:
    shop.put(service, "crash", times=2)
    session = shop.order()
    shop.becomes(session, "completed")
    assert shop.in_force() == []
    shop.until(lambda: shop.call("GET", "/health/ready").status_code == 200, "ready")


def test_messages_that_are_doubled_late_and_lost_end_in_one_effect(shop: FaultyShop) -> None:
    for service in ("shop", "risk", "payment", "fulfillment"):
        shop.put(service, "duplicate")
        shop.put(service, "drop_replies", times=1)
        shop.put(service, "delay", seconds=0.1, times=2)
    session = shop.order()
    shop.becomes(session, "completed")
    assert {each["fault"] for each in shop.in_force()} == {"duplicate"}
    assert all(each["met"] for each in shop.in_force())
    whats = [(line["what"], line.get("step")) for line in shop.timeline(session) if line["what"] == "done"]
    assert len(whats) == len(set(whats)) == 7


def test_a_step_that_refuses_ends_the_order_with_everything_undone(shop: FaultyShop) -> None:
    shop.put("fulfillment", "refuse", step="stock", times=1)
    session = shop.order()
    shop.becomes(session, "failed")
    failure = shop.session(session)["failure"]
    assert (failure["code"], failure["step"]) == ("refused_by_fault", "stock")
    assert [shop.step(session, step) for step in ("shopping", "credit", "payment")] == ["undone"] * 3
    shop.becomes(shop.order(), "completed")


def test_the_pivot_may_be_refused_too_and_no_money_moves(shop: FaultyShop) -> None:
    shop.put("payment", "refuse", step="capture")
    session = shop.order()
    shop.becomes(session, "failed")
    assert shop.session(session)["payment_status"] == "voided"


# --- every way to be stuck -------------------------------------------------------------------------------------------


def test_stuck_undo_failing_while_an_undo_fails(shop: FaultyShop) -> None:
    shop.put("risk", "fail_undo", step="credit")
    session = shop.order(token=None)
    shop.reaches(session, "payment", "waiting")
    shop.cancel(session)
    assert shop.is_stuck(session, "undo_failing")["code"] == "undo_failed_by_fault"
    assert shop.session(session)["status"] == "canceling"
    shop.lift()
    shop.becomes(session, "canceled")


def test_stuck_undo_failing_while_nobody_answers_the_undo(shop: FaultyShop) -> None:
    session = shop.order(token=None)
    shop.reaches(session, "payment", "waiting")
    shop.put("risk", "drop_replies")
    shop.cancel(session)
    assert shop.is_stuck(session, "undo_failing")["code"] == "no_answer"
    shop.lift()
    shop.becomes(session, "canceled")


def test_stuck_overdue_while_a_step_behind_the_pivot_refuses(shop: FaultyShop) -> None:
    shop.put("risk", "refuse", step="settle")
    session = shop.order()
    assert shop.is_stuck(session, "overdue")["code"] == "refused_by_fault"
    shop.lift()
    shop.becomes(session, "completed")


def test_stuck_unsupported_while_a_service_does_not_know_the_command(shop: FaultyShop) -> None:
    shop.put("risk", "unsupported", step="credit")
    session = shop.order()
    shop.is_stuck(session, "unsupported")
    shop.lift()
    shop.becomes(session, "completed")
    assert shop.stuck(session) is None


def test_stuck_parked_message_by_a_broken_double_of_the_command(shop: FaultyShop) -> None:
    shop.put("risk", "drop_replies", step="credit")
    session = shop.order()
    shop.reaches(session, "credit", "asked")
    shop.send_raw("risk", orjson.dumps([{"kind": "command", "id": f"{session}/credit/1/do"}]))
    shop.is_stuck(session, "parked_message")
    shop.lift()
    shop.becomes(session, "completed")


def test_stuck_no_answer_while_the_pivots_service_is_paused(tmp_path: Path) -> None:
    with faulty_shop(tmp_path, CLERK_STEP_LIMIT_FACTOR="0.05") as shop:
        shop.put("payment", "pause", step="capture")
        session = shop.order()
        shop.is_stuck(session, "no_answer")
        shop.lift()
        shop.becomes(session, "completed")


def test_B2_a_message_with_which_its_service_always_dies_is_parked_and_others_pass(shop: FaultyShop) -> None:
    shop.put("risk", "crash", step="credit", times=6)
    session = shop.order()
    assert "was gone before it was done" in shop.is_stuck(session, "parked_message")["detail"]
    [parked] = [each for each in shop.call("GET", "/ops/parked?limit=200", headers=shop.operator).json()["data"]
                if each["clerk"] == session]  # fmt: skip
    assert parked["killer"] is True
    assert shop.in_force() == []
    shop.becomes(shop.order(), "completed")


def test_B1_raw_bytes_are_parked_and_the_queue_goes_on(shop: FaultyShop) -> None:
    def parked(queue: str) -> list[dict[str, Any]]:
        lines = shop.call("GET", "/ops/parked?limit=200", headers=shop.operator).json()["data"]
        return [line for line in lines if line["queue"] == queue and line["body"] == "no message"]

    for service, queue in (("fulfillment", "fulfillment.commands.v1"), ("shop_manager", "shop_manager.replies.v1")):
        shop.send_raw(service, b"no message", times=2)
        shop.until(lambda queue=queue: [line["times"] for line in parked(queue)] == [2], f"parked twice in {queue}")  # type: ignore[misc]
    shop.becomes(shop.order(), "completed")


# --- the whole process -----------------------------------------------------------------------------------------------


def test_a_crash_named_process_kills_all_of_it_and_nothing_is_lost(tmp_path: Path) -> None:
    with faulty_shop(tmp_path) as shop:
        shop.put("risk", "crash", name="process")
        shop.put("shop", "delay", seconds=1, times=1)  # who opens the session hears of it before the crash
        session = shop.order()
        assert shop.running.ended() == -signal.SIGKILL
    with faulty_shop(tmp_path) as again:
        assert again.in_force() == []
        again.becomes(session, "completed")


def test_it_stops_in_time_while_everything_is_paused(tmp_path: Path) -> None:
    with faulty_shop(tmp_path) as shop:
        for service in ("shop_manager", "shop", "risk", "payment", "fulfillment"):
            shop.put(service, "pause")
        shop.order()
        shop.running.signal(signal.SIGTERM)
        assert shop.running.ended(within=5.0) == 0


@pytest.mark.broker
def test_it_is_the_same_over_rabbitmq(tmp_path: Path) -> None:
    with faulty_shop(tmp_path, "--broker", without_queues(broker_url())) as shop:
        for service in ("shop_manager", "shop", "risk", "payment", "fulfillment"):
            shop.put(service, "crash", times=1)
            shop.put(service, "duplicate")
            shop.put(service, "delay", seconds=0.1, times=1)
        shop.put("risk", "unsupported", step="credit")
        session = shop.order()
        shop.is_stuck(session, "unsupported")
        shop.send_raw("risk", b"no message")
        shop.lift()
        shop.becomes(session, "completed")
        shop.put("risk", "pause")
        waiting = shop.order()
        shop.reaches(waiting, "credit", "asked")
        shop.put("risk", "resume")
        shop.becomes(waiting, "completed")
