"""Bad messages that no participant has sent, and the ids under which they must be parked (semantics B1, B2, D2)."""

from __future__ import annotations

from domain.document import Document
from domain.messages import SHOP_MANAGER, Command, Message, Reply
from messaging.broker import REPLIES_QUEUE, commands_queue
from messaging.envelope import destination_and_topic, encode
from messaging.parked import ParkedMessage
from simulation.scenario import BadMessage

FIRST_COMMAND = {
    "shop": ("StartShopping", "shopping"),
    "risk": ("ReserveCredit", "credit"),
    "payment": ("AuthorizePayment", "payment"),
    "fulfillment": ("AllocateStock", "stock"),
}
UNKNOWN_CLERK = "clk_nobody"
POISON_CLERK = "clk_killer"


def bytes_of(bad: BadMessage) -> tuple[str, str, bytes]:
    """(queue, routing key, body)."""
    queue = REPLIES_QUEUE if bad.service == SHOP_MANAGER else commands_queue(bad.service)
    if bad.kind == "garbage":
        return queue, f"{bad.service}.Odd.v1", b'\xff{"no": json'
    if bad.kind == "shape":
        return queue, f"{bad.service}.Odd.v1", b'[{"kind": "command", "name": 7}]'
    message = message_of(bad)
    return queue, destination_and_topic(message)[1], b"[" + encode(message) + b"]"


def sender_of(bad: BadMessage) -> str:
    """Who may say such a thing: what is wrong with these messages is not their sender."""
    return "risk" if bad.service == SHOP_MANAGER else SHOP_MANAGER


def message_of(bad: BadMessage) -> Message:
    """A message that can be decoded, and cannot be handled."""
    clerk = POISON_CLERK if bad.kind == "killer" else UNKNOWN_CLERK
    document: Document = {"clerk": {"id": clerk}}
    if bad.kind == "unknown":
        return Reply("ReserveCredit", 1, clerk, "credit", 1, "do", "done", None, document, None)
    name, step = FIRST_COMMAND[bad.service]
    return Command(bad.service, name, 1, clerk, step, 1, "do", document, None)


def parked_id(bad: BadMessage) -> str:
    """The id of its parked message."""
    queue, _, body = bytes_of(bad)
    readable = bad.kind in ("raises", "killer", "unknown")
    return ParkedMessage(bad.service, queue, "", message_of(bad).id if readable else None, body).id
