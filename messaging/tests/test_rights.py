"""The rights of the services' users on RabbitMQ, as patterns (security S13). A real broker is asked in clerk_cli."""

from __future__ import annotations

import re

import pytest

from domain.document import SERVICES
from messaging.rabbitmq.rights import Rights, as_control_commands, rights_of_owner, rights_of_services
from messaging.rabbitmq.topology import EXCHANGES, QUEUES
from messaging.senders import Senders

COMMANDS = {"shop": {"StartShopping"}, "risk": {"ReserveCredit", "SettleCredit"}, "payment": {"CapturePayment"},
            "fulfillment": {"ShipOrder"}}  # fmt: skip
PLACES = [*EXCHANGES, *(queue.name for queue in QUEUES), "", "amq.default", "amq.topic", "clerk", "clerk.replies.more",
          "clerkxreplies"]  # fmt: skip


def of(account: str, users: str = "{service}") -> Rights:
    [found] = [each for each in rights_of_services(Senders(users), COMMANDS) if each.account == account]
    return found


def allowed(pattern: str, places: list[str]) -> set[str]:
    """As RabbitMQ matches them: anywhere in the name, unless the pattern says otherwise."""
    return {place for place in places if re.search(pattern, place)}


@pytest.mark.parametrize("service", SERVICES)
def test_S13_a_service_reads_its_own_queue_writes_to_the_exchange_of_replies_and_configures_nothing(
    service: str,
) -> None:
    rights = of(service)
    assert allowed(rights.configure, PLACES) == {""}
    assert allowed(rights.write, PLACES) == {"clerk.replies"}
    assert allowed(rights.read, PLACES) == {f"{service}.commands.v1"}


def test_S13_shop_manager_reads_replies_and_dead_letters_and_writes_commands_to_services() -> None:
    rights = of("shop_manager")
    assert allowed(rights.configure, PLACES) == {""}
    assert allowed(rights.write, PLACES) == {"clerk.commands"}
    assert allowed(rights.read, PLACES) == {"shop_manager.replies.v1", "clerk.dead.v1"}
    [topic] = rights.topics
    keys = ["risk.ReserveCredit.v1", "shop.Anything.v12", "shop_manager.ReserveCredit.v1", "risk.v1", "xrisk.A.v1"]
    assert topic.exchange == "clerk.commands"
    assert allowed(topic.write, keys) == {"risk.ReserveCredit.v1", "shop.Anything.v12"}


def test_S13_a_service_answers_under_the_names_of_its_own_commands_in_any_version_and_tells_what_it_parked() -> None:
    [topic] = of("risk").topics
    keys = {
        "shop_manager.ReserveCredit.v1": True,
        "shop_manager.SettleCredit.v23": True,
        "shop_manager.MessageParked.v1": True,
        "shop_manager.CapturePayment.v1": False,
        "shop_manager.ReserveCredit": False,
        "shop_manager.ReserveCredit.v": False,
        "shop_manager.ReserveCreditX.v1": False,
        "shop_managerXReserveCredit.v1": False,
        "risk.ReserveCredit.v1": False,
        "": False,
    }
    assert topic.exchange == "clerk.replies"
    assert {key: key in allowed(topic.write, [*keys]) for key in keys} == keys
    assert allowed(topic.read, [*keys]) == {""}


def test_S13_the_owner_declares_and_binds_but_sends_nothing() -> None:
    rights = rights_of_owner("clerk_owner")
    ours = {*EXCHANGES, *(queue.name for queue in QUEUES)}
    assert allowed(rights.configure, PLACES) == ours
    assert allowed(rights.write, PLACES) & set(EXCHANGES) == {"clerk.dead"}
    assert allowed(rights.read, PLACES) == ours


def test_they_are_set_by_two_commands_for_each_user() -> None:
    rights = [of("risk", "acme-{service}"), rights_of_owner("boss")]
    words = [[*each[:4], each[4] if "topic" in each[0] else ""] for each in as_control_commands(rights, "/toys")]
    assert words == [
        ["set_permissions", "-p", "/toys", "acme-risk", ""],
        ["set_topic_permissions", "-p", "/toys", "acme-risk", "clerk.replies"],
        ["set_permissions", "-p", "/toys", "boss", ""],
    ]
