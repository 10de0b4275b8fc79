"""Messages that nobody of ours has sent, and under which id they must be found parked (semantics B1, B2, D2)."""

from __future__ import annotations

from domain.document import Document
from domain.messages import SHOP_MANAGER, Command, Message, Reply
from messaging.broker import REPLIES_QUEUE, commands_queue
from messaging.envelope import encode, exchange_and_key
from messaging.parked import ParkedMessage
from simulation.scenario import Bad

FIRST_COMMAND = {
    "shop": ("StartShopping", "shopping"),
    "risk": ("ReserveCredit", "credit"),
    "payment": ("AuthorizePayment", "payment"),
    "fulfillment": ("AllocateStock", "stock"),
}
NOBODY = "clk_nobody"
KILLER = "clk_killer"


def bytes_of(bad: Bad) -> tuple[str, str, bytes]:
    """(queue, routing key, body)."""
    queue = REPLIES_QUEUE if bad.service == SHOP_MANAGER else commands_queue(bad.service)
    if bad.kind == "garbage":
        return queue, f"{bad.service}.Odd.v1", b'\xff{"no": json'
    if bad.kind == "shape":
        return queue, f"{bad.service}.Odd.v1", b'[{"kind": "command", "name": 7}]'
    message = message_of(bad)
    return queue, exchange_and_key(message)[1], b"[" + encode(message) + b"]"


def message_of(bad: Bad) -> Message:
    """A message that can be read, and cannot be handled."""
    clerk = KILLER if bad.kind == "killer" else NOBODY
    document: Document = {"clerk": {"id": clerk}}
    if bad.kind == "unknown":
        return Reply("ReserveCredit", 1, clerk, "credit", 1, "do", "done", None, document, None)
    name, step = FIRST_COMMAND[bad.service]
    return Command(bad.service, name, 1, clerk, step, 1, "do", document, None)


def parked_id(bad: Bad) -> str:
    """Under which id it will be found."""
    queue, _, body = bytes_of(bad)
    readable = bad.kind in ("raises", "killer", "unknown")
    return ParkedMessage(bad.service, queue, "", message_of(bad).id if readable else None, body).id
