"""Parked messages are replayed or discarded (semantics O3), and none is ever deleted."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from domain.messages import SHOP_MANAGER, Command, Notice, answer
from messaging.envelope import encode
from messaging.parked import KEPT_BYTES, ParkedMessage, park
from shop_manager import store
from shop_manager.tests.house import House
from shop_manager.tests.test_operations_acts import DAY, WHY
from shop_manager.tests.test_ops import OPERATOR as VIEWER
from shop_manager.tests.test_ops import read

QUEUE = "shop_manager.replies.v1"


def decide(house: House, parked: str, action: str, *, key: str = DAY, **headers: str) -> httpx.Response:
    body = {"action": action, "reason": WHY}
    return house.call("POST", f"/ops/parked/{parked}/actions", key, json=body, headers=headers)


def parked_command(house: House) -> tuple[str, Command]:
    """A Clerk that is stuck because risk has parked its command."""
    clerk = house.brings_all()["id"]
    command = house.goes_on_to("ReserveCredit")
    house.hears(Notice("risk", "prk_1", "it failed", "risk.commands.v1", command.id, b"[{", 90_000, house.now))
    return clerk, command


def parked_here(house: House, body: bytes, **more: Any) -> str:
    message = ParkedMessage(SHOP_MANAGER, QUEUE, "the handler failed", more.pop("message", None), body, **more)
    with house.database.begin() as tx:
        park(tx, store.schema.parked, [message], house.now)
    return message.id


def test_B2_that_a_message_killed_its_service_is_told_to_operators(house: House) -> None:
    house.brings_all()
    command = house.goes_on_to("ReserveCredit")
    house.hears(Notice("risk", "prk_2", "it was gone", "risk.commands.v1", command.id, b"[]", 2, house.now, True))
    assert read(house, "parked/prk_2")["killer"] is True


def test_O3_a_parked_command_is_asked_anew_although_its_bytes_were_cut(house: House) -> None:
    clerk, command = parked_command(house)
    answered = decide(house, "prk_1", "replay")
    assert answered.status_code == 200, answered.text
    assert (answered.json()["state"], answered.json()["decision"]["who"]) == ("replayed", "day")
    assert answered.json()["decision"]["effect"] == "taken; now asked: credit, attempt 2"
    [again] = house.sent()
    assert (again.name, again.attempt, command.attempt) == ("ReserveCredit", 2, 1)
    assert read(house, f"clerks/{clerk}")["stuck"] is None
    house.answers(again)
    house.goes_on_to_the_end()
    assert read(house, f"clerks/{clerk}")["status"] == "completed"


def test_O3_a_command_that_nobody_waits_for_any_more_is_not_sent(house: House) -> None:
    clerk, command = parked_command(house)
    house.answers(command)
    [payment] = house.sent()
    refused = decide(house, "prk_1", "replay")
    assert (refused.status_code, refused.json()["code"]) == (409, "not_allowed_now")
    assert house.sent() == [] and house.saga(clerk).question and payment.step == "payment"
    assert read(house, "parked/prk_1")["state"] == "parked"


def test_O3_a_parked_reply_is_taken_only_if_it_answers_the_open_question(house: House) -> None:
    clerk = house.brings_all()["id"]
    command = house.goes_on_to("ReserveCredit")
    document = {**command.document, "credit": {"status": "reserved", "amount": 2590}}
    reply = answer(command, "done", document, house.now)
    first, second = (parked_here(house, b"[" + encode(reply) + b"]", message=name) for name in ("a", "b"))
    assert decide(house, first, "replay").json()["decision"]["effect"] == "taken; now asked: payment, attempt 1"
    assert house.saga(clerk).state_of("credit") == "done"
    assert decide(house, second, "replay").json()["decision"]["effect"].startswith("ignored: repeated")
    assert read(house, f"clerks/{clerk}/timeline")["data"][-1]["what"] == "ignored"


@pytest.mark.parametrize(
    ("body", "more", "said"),
    [(b"squeak", {}, "cannot be read"), (b"[" + b" " * KEPT_BYTES, {}, "bytes were kept"), (b"[{}]", {}, "kind")],
)
def test_a_message_that_cannot_be_replayed_is_refused_honestly(
    house: House, body: bytes, more: dict[str, Any], said: str
) -> None:
    parked = parked_here(house, body, **more)
    refused = decide(house, parked, "replay")
    assert (refused.status_code, refused.json()["code"]) == (409, "not_allowed_now")
    assert said in refused.json()["detail"]
    assert read(house, f"audit?target=parked:{parked}")["data"][0]["outcome"] == "not_allowed_now"


def test_a_reply_for_a_clerk_that_does_not_exist_is_refused(house: House) -> None:
    house.brings_all()
    [command] = house.sent()
    document = {**command.document, "clerk": {"id": "clk_none"}}
    stranger = Command(**{**{name: getattr(command, name) for name in Command.__slots__}, "clerk": "clk_none"})
    parked = parked_here(house, b"[" + encode(answer(stranger, "done", document, house.now)) + b"]")
    assert "there is no Clerk clk_none" in decide(house, parked, "replay").json()["detail"]


def test_a_discarded_message_stays_listed_and_the_same_act_again_gets_the_same_answer(house: House) -> None:
    parked = parked_here(house, b"squeak")
    first, second = decide(house, parked, "discard"), decide(house, parked, "discard")
    assert first.json() == second.json() and first.json()["state"] == "discarded"
    assert decide(house, parked, "replay").json()["code"] == "not_allowed_now"
    assert read(house, "summary")["parked"] == 0
    assert [line["state"] for line in read(house, "parked")["data"]] == ["discarded"]
    assert read(house, "parked?state=parked")["data"] == []
    assert len(read(house, "parked?state=discarded&service=shop_manager")["data"]) == 1


def test_what_is_parked_again_after_a_decision_is_open_once_more(house: House) -> None:
    parked = parked_here(house, b"squeak")
    decide(house, parked, "discard")
    house.now += 1
    parked_here(house, b"squeak")
    assert (read(house, f"parked/{parked}")["state"], read(house, "summary")["parked"]) == ("parked", 1)


def test_O1_a_decision_may_carry_the_version_seen(house: House) -> None:
    parked = parked_here(house, b"squeak")
    seen = house.get(f"/ops/parked/{parked}", VIEWER).headers["etag"]
    assert decide(house, parked, "discard", **{"If-Match": '"1"'}).status_code == 412
    assert decide(house, parked, "discard", **{"If-Match": seen}).status_code == 200


def test_S9_a_viewer_cannot_decide_and_his_attempt_is_written_down(house: House) -> None:
    parked = parked_here(house, b"squeak")
    assert decide(house, parked, "discard", key=VIEWER).status_code == 403
    [line] = read(house, f"audit?target=parked:{parked}")["data"]
    assert (line["who"], line["outcome"]) == ("night", "forbidden")
    assert decide(house, "prk_none", "discard").status_code == 404
