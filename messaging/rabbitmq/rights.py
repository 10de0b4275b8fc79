"""What each service's user may do on RabbitMQ: exactly what its work needs (docs/design/security.md, S13). Pure.

A service writes to its own exchange under its own routing keys, reads its own queue, and configures nothing. Patterns
are regular expressions: the configure, write and read permissions match names of exchanges and queues, topic
permissions routing keys.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from domain.document import SERVICES
from domain.messages import SHOP_MANAGER
from messaging.broker import (
    COMMANDS_DESTINATION,
    DEAD_LETTER_DESTINATION,
    DEAD_LETTER_QUEUE,
    REPLIES_DESTINATION,
    REPLIES_QUEUE,
    commands_queue,
)
from messaging.rabbitmq.topology import EXCHANGES, QUEUES
from messaging.senders import Senders

NOTHING = "^$"
NOTICE = "MessageParked"
"""Any service may tell that it has parked a message."""


@dataclass(frozen=True, slots=True)
class TopicRights:
    """Which routing keys a user may write to one topic exchange; binding a queue to it would need `read`."""

    exchange: str
    write: str
    read: str = NOTHING


@dataclass(frozen=True, slots=True)
class Rights:
    """All that one user may do in the shop's virtual host. `account` is the service, or `owner`."""

    account: str
    user: str
    configure: str
    write: str
    read: str
    topics: tuple[TopicRights, ...] = ()

    def as_json(self) -> dict[str, object]:
        topics = [{"exchange": each.exchange, "write": each.write, "read": each.read} for each in self.topics]
        named = {"account": self.account, "user": self.user}
        return {**named, "configure": self.configure, "write": self.write, "read": self.read, "topics": topics}


def rights_of_services(senders: Senders, commands: Mapping[str, Iterable[str]]) -> list[Rights]:
    """Of ShopManager's user and of each service's; `commands`: by service, the names of those that it answers."""
    asks = TopicRights(COMMANDS_DESTINATION, f"^(?:{'|'.join(sorted(SERVICES))})\\.[A-Za-z0-9_]+\\.v[0-9]+$")
    manager = Rights(
        SHOP_MANAGER,
        senders.user_of(SHOP_MANAGER),
        NOTHING,
        only(COMMANDS_DESTINATION),
        only(REPLIES_QUEUE, DEAD_LETTER_QUEUE),
        (asks,),
    )
    return [manager, *(_of_service(service, senders, commands[service]) for service in SERVICES)]


def _of_service(service: str, senders: Senders, commands: Iterable[str]) -> Rights:
    names = "|".join(re.escape(name) for name in sorted({*commands, NOTICE}))
    answers = TopicRights(REPLIES_DESTINATION, f"^{SHOP_MANAGER}\\.(?:{names})\\.v[0-9]+$")
    own = commands_queue(service)
    return Rights(service, senders.user_of(service), NOTHING, only(REPLIES_DESTINATION), only(own), (answers,))


def rights_of_owner(user: str) -> Rights:
    """Of the account with which `clerk migrate` declares everything: it cannot say anything to anybody.

    To bind is to write to the queue and to read from the exchange; a queue with dead letters also asks for the right
    to read it, and to write to where they go.
    """
    queues = [queue.name for queue in QUEUES]
    return Rights(
        "owner",
        user,
        only(*EXCHANGES, *queues),
        only(*queues, DEAD_LETTER_DESTINATION),
        only(*EXCHANGES, *queues),
    )


def only(*names: str) -> str:
    """The pattern of these names and no others."""
    return f"^(?:{'|'.join(re.escape(name) for name in names)})$"


def as_control_commands(rights: Iterable[Rights], vhost: str) -> Iterator[list[str]]:
    """The arguments of `rabbitmqctl` that set them, one command each."""
    for each in rights:
        yield ["set_permissions", "-p", vhost, each.user, each.configure, each.write, each.read]
        for topic in each.topics:
            yield ["set_topic_permissions", "-p", vhost, each.user, topic.exchange, topic.write, topic.read]
