"""Parked messages are replayed or discarded (semantics O3), and none is ever deleted."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from domain.messages import SHOP_MANAGER, Command, ParkedNotice, answer
from messaging.envelope import encode
from messaging.parked import KEPT_BYTES, ParkedMessage, park
from shop_manager.engine import tables
from shop_manager.tests.http_harness import HttpHarness
from shop_manager.tests.test_operations_acts import DAY, WHY
from shop_manager.tests.test_operations_api import OPERATOR as VIEWER
from shop_manager.tests.test_operations_api import read

QUEUE = "shop_manager.replies.v1"


def decide(harness: HttpHarness, parked: str, action: str, *, key: str = DAY, **headers: str) -> httpx.Response:
    body = {"action": action, "reason": WHY}
    return harness.call("POST", f"/ops/parked/{parked}/actions", key, json=body, headers=headers)


def parked_command(harness: HttpHarness) -> tuple[str, Command]:
    """A Clerk that is stuck because risk has parked its command."""
    clerk = harness.brings_all()["id"]
    command = harness.goes_on_to("ReserveCredit")
    harness.hears(
        ParkedNotice("risk", "prk_1", "it failed", "risk.commands.v1", command.id, b"[{", 90_000, harness.now)
    )
    return clerk, command


def parked_here(harness: HttpHarness, body: bytes, **more: Any) -> str:
    parked = {"message": None, "sender": "risk", **more}
    message = ParkedMessage(SHOP_MANAGER, QUEUE, "the handler failed", body=body, **parked)
    with harness.database.begin() as tx:
        park(tx, tables.technical.parked, [message], harness.now)
    return message.id


def test_B2_that_a_message_killed_its_service_is_told_to_operators(harness: HttpHarness) -> None:
    harness.brings_all()
    command = harness.goes_on_to("ReserveCredit")
    harness.hears(
        ParkedNotice("risk", "prk_2", "it was gone", "risk.commands.v1", command.id, b"[]", 2, harness.now, True)
    )
    assert read(harness, "parked/prk_2")["killer"] is True


def test_O3_a_parked_command_is_asked_anew_although_its_bytes_were_cut(harness: HttpHarness) -> None:
    clerk, command = parked_command(harness)
    answered = decide(harness, "prk_1", "replay")
    assert answered.status_code == 200, answered.text
    assert (answered.json()["state"], answered.json()["decision"]["who"]) == ("replayed", "day")
    assert answered.json()["decision"]["effect"] == "taken; now asked: credit, attempt 2"
    [again] = harness.sent()
    assert (again.name, again.attempt, command.attempt) == ("ReserveCredit", 2, 1)
    assert read(harness, f"clerks/{clerk}")["stuck"]["kind"] == "parked_message", "until it is answered"
    harness.answers(again)
    assert read(harness, f"clerks/{clerk}")["stuck"] is None
    harness.goes_on_to_the_end()
    assert read(harness, f"clerks/{clerk}")["status"] == "completed"


def test_O3_a_command_that_nobody_waits_for_any_more_is_not_sent(harness: HttpHarness) -> None:
    clerk, command = parked_command(harness)
    harness.answers(command)
    [payment] = harness.sent()
    refused = decide(harness, "prk_1", "replay")
    assert (refused.status_code, refused.json()["code"]) == (409, "not_allowed_now")
    assert harness.sent() == [] and harness.saga(clerk).question and payment.step == "payment"
    assert read(harness, "parked/prk_1")["state"] == "parked"


def test_O3_a_parked_reply_is_taken_only_if_it_answers_the_open_question(harness: HttpHarness) -> None:
    clerk = harness.brings_all()["id"]
    command = harness.goes_on_to("ReserveCredit")
    document = {**command.document, "credit": {"status": "reserved", "amount": 2590}}
    reply = answer(command, "done", document, harness.now)
    first, second = (parked_here(harness, b"[" + encode(reply) + b"]", message=name) for name in ("a", "b"))
    assert decide(harness, first, "replay").json()["decision"]["effect"] == "taken; now asked: payment, attempt 1"
    assert harness.saga(clerk).state_of("credit") == "done"
    assert decide(harness, second, "replay").json()["decision"]["effect"].startswith("ignored: repeated")
    assert read(harness, f"clerks/{clerk}/timeline")["data"][-1]["what"] == "ignored"


@pytest.mark.parametrize(
    ("body", "more", "said"),
    [(b"squeak", {}, "cannot be read"), (b"[" + b" " * KEPT_BYTES, {}, "bytes were kept"), (b"[{}]", {}, "kind")],
)
def test_a_message_that_cannot_be_replayed_is_refused_honestly(
    harness: HttpHarness, body: bytes, more: dict[str, Any], said: str
) -> None:
    parked = parked_here(harness, body, **more)
    refused = decide(harness, parked, "replay")
    assert (refused.status_code, refused.json()["code"]) == (409, "not_allowed_now")
    assert said in refused.json()["detail"]
    assert read(harness, f"audit?target=parked:{parked}")["data"][0]["outcome"] == "not_allowed_now"


def test_a_reply_for_a_clerk_that_does_not_exist_is_refused(harness: HttpHarness) -> None:
    harness.brings_all()
    [command] = harness.sent()
    document = {**command.document, "clerk": {"id": "clk_none"}}
    stranger = Command(**{**{name: getattr(command, name) for name in Command.__slots__}, "clerk": "clk_none"})
    parked = parked_here(harness, b"[" + encode(answer(stranger, "done", document, harness.now)) + b"]")
    assert "there is no Clerk clk_none" in decide(harness, parked, "replay").json()["detail"]


def test_a_discarded_message_stays_listed_and_the_same_act_again_gets_the_same_answer(harness: HttpHarness) -> None:
    parked = parked_here(harness, b"squeak")
    first, second = decide(harness, parked, "discard"), decide(harness, parked, "discard")
    assert first.json() == second.json() and first.json()["state"] == "discarded"
    assert decide(harness, parked, "replay").json()["code"] == "not_allowed_now"
    assert read(harness, "summary")["parked"] == 0
    assert [line["state"] for line in read(harness, "parked")["data"]] == ["discarded"]
    assert read(harness, "parked?state=parked")["data"] == []
    assert len(read(harness, "parked?state=discarded&service=shop_manager")["data"]) == 1


def test_what_is_parked_again_after_a_decision_is_open_once_more(harness: HttpHarness) -> None:
    parked = parked_here(harness, b"squeak")
    decide(harness, parked, "discard")
    harness.now += 1
    parked_here(harness, b"squeak")
    assert (read(harness, f"parked/{parked}")["state"], read(harness, "summary")["parked"]) == ("parked", 1)


def test_O1_a_decision_may_carry_the_version_seen(harness: HttpHarness) -> None:
    parked = parked_here(harness, b"squeak")
    seen = harness.get(f"/ops/parked/{parked}", VIEWER).headers["etag"]
    assert decide(harness, parked, "discard", **{"If-Match": '"1"'}).status_code == 412
    assert decide(harness, parked, "discard", **{"If-Match": seen}).status_code == 200


def test_S9_a_viewer_cannot_decide_and_his_attempt_is_written_down(harness: HttpHarness) -> None:
    parked = parked_here(harness, b"squeak")
    assert decide(harness, parked, "discard", key=VIEWER).status_code == 403
    [line] = read(harness, f"audit?target=parked:{parked}")["data"]
    assert (line["who"], line["outcome"]) == ("night", "forbidden")
    assert decide(harness, "prk_none", "discard").status_code == 404
