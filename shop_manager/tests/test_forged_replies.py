"""Only the service that a step asks may answer for it, and only a service may say what it has parked (B4, S13)."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from domain.messages import SHOP_MANAGER, Message, ParkedNotice, Reply
from messaging.broker import REPLIES_DESTINATION, REPLIES_QUEUE, OutboundMessage
from messaging.envelope import encode, pack
from messaging.senders import Senders
from messaging.worker import Worker
from shop_manager.engine import tables
from shop_manager.processes import ProcessRegistry
from shop_manager.tests.http_harness import HttpHarness
from shop_manager.tests.manager_harness import ManagerHarness
from shop_manager.tests.test_operations_api import read
from shop_manager.tests.test_operations_parked_acts import decide


@pytest.fixture
def harness(tmp_path: Path) -> ManagerHarness:
    return ManagerHarness(tmp_path)


def parked_rows(harness: ManagerHarness) -> list[dict[str, Any]]:
    with harness.database.read() as tx:
        return [dict(row._mapping) for row in tx.execute(select(tables.technical.parked))]


def sends(harness: ManagerHarness, user: str, *messages: Message) -> None:
    """The messages travel as this user's over the broker, and ShopManager's worker takes them in one round."""
    transport = harness.broker.transport(None, user)
    transport.start()
    for number, (destination, topic, body) in enumerate(pack(messages)):
        assert destination == REPLIES_DESTINATION
        transport.publish([OutboundMessage(number, destination, topic, body)])
    manager = harness.manager
    worker = Worker(
        SHOP_MANAGER, harness.database, tables.technical, harness.outbox, manager.handle, senders=manager.senders
    )
    worker.round(wait=0.01)


@pytest.mark.parametrize("forger", ["risk", "payment", "fulfillment", "shop_manager", "guest"])
def test_B4_a_reply_of_any_other_than_the_steps_service_is_parked_for_that_and_changes_nothing(
    harness: ManagerHarness, forger: str
) -> None:
    clerk = harness.opens("clk_1")
    [asked] = harness.sent()
    before = harness.saga(clerk)
    sends(harness, forger, harness.replies(asked))
    assert harness.saga(clerk) == before
    assert harness.sent() == []
    [row] = parked_rows(harness)
    assert row["reason"] == f"it was sent by the broker's user {forger!r}: only 'shop' may say this"
    assert (row["message"], row["sender"], row["forged"]) == (f"{asked.id}/reply", forger, 1)
    sends(harness, "shop", harness.replies(asked))
    assert harness.saga(clerk).state_of("shopping") == "done", "the true one counts"


@pytest.mark.parametrize(("clerk", "step"), [("clk_none", "shopping"), ("clk_1", "daydreaming")])
def test_B4_about_what_nobody_knows_only_a_service_may_answer(harness: ManagerHarness, clerk: str, step: str) -> None:
    harness.opens("clk_1")
    [asked] = harness.sent()
    reply = replace(harness.replies(asked), clerk=clerk, step=step, document={})
    for sender in ("guest", "risk"):
        sends(harness, sender, reply)
    rows = {row["sender"]: row for row in parked_rows(harness)}
    assert (rows["guest"]["forged"], rows["risk"]["forged"]) == (1, 0)
    assert rows["guest"]["reason"].endswith("only 'shop' or 'risk' or 'payment' or 'fulfillment' may say this")


def test_B4_each_message_of_a_batch_is_judged_by_its_own_sender(harness: ManagerHarness) -> None:
    first, second = harness.opens("clk_1"), harness.opens("clk_2")
    one, other = harness.sent()
    harness.hears(replace(harness.replies(one), sender="payment"), replace(harness.replies(other), sender="shop"))
    assert (harness.saga(first).state_of("shopping"), harness.saga(second).state_of("shopping")) == ("asked", "done")


def test_B4_a_whole_forged_order_ends_nowhere(harness: ManagerHarness) -> None:
    """What an attack did: every step answered by whoever had the broker's password, nothing ever paid."""
    clerk = harness.opens("clk_1")
    for step in ProcessRegistry()["standard/1"].steps:
        name = step.do
        forged = Reply(name, 1, clerk, step.name, 1, "do", "done", None, {"clerk": {"id": clerk}}, None)
        sends(harness, "guest", forged)
    assert harness.saga(clerk).state_of("shopping") == "asked"
    assert len(parked_rows(harness)) == 7


def test_B4_a_notice_in_anothers_name_is_parked_and_makes_no_clerk_stuck(harness: ManagerHarness) -> None:
    clerk = harness.opens("clk_1")
    [asked] = harness.sent()
    sends(harness, "risk", ParkedNotice("shop", "prk_1", "oh no", "shop.commands.v1", asked.id, b"[]", 2, harness.now))
    assert harness.saga(clerk).stuck is None
    [row] = parked_rows(harness)
    assert (row["service"], row["forged"]) == ("shop_manager", 1)
    assert "only 'shop' may say this" in row["reason"]


def test_B4_of_anothers_question_a_services_own_notice_tells_nothing(harness: ManagerHarness) -> None:
    clerk = harness.opens("clk_1")
    [asked] = harness.sent()
    sends(harness, "risk", ParkedNotice("risk", "prk_1", "oh no", "risk.commands.v1", asked.id, b"[]", 2, harness.now))
    assert harness.saga(clerk).stuck is None
    assert [row["service"] for row in parked_rows(harness)] == ["risk"]


def test_B4_that_a_service_has_parked_a_forged_command_tells_nothing_of_the_clerk(harness: ManagerHarness) -> None:
    clerk = harness.opens("clk_1")
    [asked] = harness.sent()
    notice = ParkedNotice("shop", "prk_1", "oh no", "shop.commands.v1", asked.id, b"[]", 2, harness.now)
    sends(harness, "shop", replace(notice, forged=True, sender="guest"))
    assert harness.saga(clerk).stuck is None
    [row] = parked_rows(harness)
    assert (row["service"], row["message"], row["sender"], row["forged"]) == ("shop", asked.id, "guest", 1)


def test_B4_no_service_can_write_over_what_another_has_parked(harness: ManagerHarness) -> None:
    def notice(service: str, reason: str) -> ParkedNotice:
        return ParkedNotice(service, "prk_1", reason, f"{service}.commands.v1", None, b"[]", 2, harness.now)

    sends(harness, "payment", notice("payment", "the true reason"))
    sends(harness, "risk", notice("risk", "nothing to see here"))
    sends(harness, "payment", notice("payment", "the true reason"))
    assert sorted((row["id"] == "prk_1", row["service"], row["times"]) for row in parked_rows(harness)) == [
        (False, "risk", 1),
        (True, "payment", 2),
    ]


def test_B4_what_cannot_be_read_takes_no_other_senders_place_whatever_id_it_claims(harness: ManagerHarness) -> None:
    claimed = json.dumps([{"kind": "reply", "in_reply_to": "clk_9/credit/1/do"}]).encode()
    worker = Worker(SHOP_MANAGER, harness.database, tables.technical, harness.outbox, harness.manager.handle)
    for sender in ("risk", "payment", "risk", "shop_manager"):
        harness.broker.put(REPLIES_QUEUE, claimed, "shop_manager.ReserveCredit.v1", sender)
        worker.round(wait=0.01)
    found = sorted((row["sender"], row["times"], row["forged"]) for row in parked_rows(harness))
    assert found == [("payment", 1, 0), ("risk", 2, 0), ("shop_manager", 1, 1)]


def test_B4_while_services_change_over_the_one_user_they_shared_may_speak_for_all(harness: ManagerHarness) -> None:
    clerk = harness.opens("clk_1")
    [asked] = harness.sent()
    harness.manager.senders = Senders(shared="clerk")
    sends(harness, "risk", harness.replies(asked))
    assert harness.saga(clerk).state_of("shopping") == "asked"
    sends(harness, "clerk", harness.replies(asked))
    assert harness.saga(clerk).state_of("shopping") == "done"


# --- what operators can do with them ---------------------------------------------------------------------------------


@pytest.fixture
def http(tmp_path: Path) -> HttpHarness:
    return HttpHarness(tmp_path)


def forged_reply(http: HttpHarness) -> tuple[str, str]:
    """(the Clerk, the id under which a forged answer to what it was asked is parked)."""
    clerk = http.brings_all()["id"]
    asked = http.goes_on_to("ReserveCredit")
    http.hears(replace(http.replies(asked), sender="payment"))
    [parked] = read(http, "parked")["data"]
    return clerk, parked["id"]


def test_O3_a_forged_reply_is_not_replayed_and_its_order_stays_as_it_is(http: HttpHarness) -> None:
    clerk, parked = forged_reply(http)
    refused = decide(http, parked, "replay")
    assert (refused.status_code, refused.json()["code"]) == (409, "not_allowed_now")
    assert "whoever sent it may not say it: it can only be discarded" in refused.json()["detail"]
    assert http.saga(clerk).state_of("credit") == "asked"
    assert read(http, f"audit?target=parked:{parked}")["data"][0]["outcome"] == "not_allowed_now"


def test_O3_a_forged_reply_is_seen_with_its_sender_and_can_be_discarded(http: HttpHarness) -> None:
    _, parked = forged_reply(http)
    seen = read(http, f"parked/{parked}")
    assert "'payment': only 'risk' may say this" in seen["reason"]
    assert (seen["sender"], seen["forged"]) == ("payment", True)
    assert decide(http, parked, "discard").json()["state"] == "discarded"


@pytest.mark.parametrize("sender", ["payment", "guest", None])
def test_O3_what_was_parked_before_anybody_looked_at_its_sender_is_replayed_only_for_the_right_one(
    http: HttpHarness, sender: str | None
) -> None:
    """A reply that the broker gave up (a dead letter), or that an earlier version has parked."""
    clerk = http.brings_all()["id"]
    reply = http.replies(http.goes_on_to("ReserveCredit"))
    http.broker.put("clerk.dead.v1", b"[" + encode(reply) + b"]", "shop_manager.ReserveCredit.v1", sender)
    dead_letters = http.broker.transport("clerk.dead.v1", SHOP_MANAGER)
    dead_letters.start()
    Worker(
        SHOP_MANAGER, http.database, tables.technical, http.outbox, http.manager.handle, transport=dead_letters,
        park_all="the broker gave it up",
    ).round(wait=0.01)  # fmt: skip
    [parked] = read(http, "parked")["data"]
    refused = decide(http, parked["id"], "replay")
    assert (refused.status_code, "only 'risk' may say this" in refused.json()["detail"]) == (409, True)
    assert http.saga(clerk).state_of("credit") == "asked"


def test_O3_a_forged_command_that_a_service_has_parked_is_not_asked_anew(http: HttpHarness) -> None:
    http.brings_all()
    asked = http.goes_on_to("ReserveCredit")
    notice = ParkedNotice("risk", "prk_1", "forged", "risk.commands.v1", asked.id, b"[]", 2, http.now)
    http.hears(replace(notice, forged=True, sender="guest"))
    assert decide(http, "prk_1", "replay").json()["code"] == "not_allowed_now"
    assert http.sent() == []
