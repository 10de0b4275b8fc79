"""The body of a delivery: a JSON list of messages, read strictly, written deterministically (docs/design/processes.md).

What cannot be read raises `DecodeError` with one clear sentence; the worker parks it (semantics B1).
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from domain.document import SERVICES
from domain.messages import SHOP_MANAGER, Command, Message, ParkedNotice, Reply
from domain.times import to_wire
from messaging.broker import COMMANDS_DESTINATION, REPLIES_DESTINATION
from messaging.fields import DecodeError, Fields
from messaging.strict_json import StrictJsonError, read_strictly

MESSAGE_LIMIT = 256 * 1024
"""Bytes of one message (security S4)."""
PACK_LIMIT = 25
"""Messages in one delivery: more gain little (docs/design/performance.md)."""
BODY_LIMIT = 2 * MESSAGE_LIMIT
"""Bytes of one delivery; whatever is larger is not even parsed."""
DEPTH_LIMIT = 64
"""Levels of JSON inside a message."""


def destination_and_topic(message: Message) -> tuple[str, str]:
    """Where a message goes: `clerk.commands` and `risk.ReserveCredit.v1`, `clerk.replies` and `shop_manager.…`."""
    if isinstance(message, Command):
        return COMMANDS_DESTINATION, f"{message.service}.{message.name}.v{message.version}"
    if isinstance(message, Reply):
        return REPLIES_DESTINATION, f"{SHOP_MANAGER}.{message.name}.v{message.version}"
    return REPLIES_DESTINATION, f"{SHOP_MANAGER}.MessageParked.v1"


def encode(message: Message) -> bytes:
    """One message as JSON."""
    if isinstance(message, Command):
        return orjson.dumps(_command_as_json(message))
    if isinstance(message, Reply):
        return orjson.dumps(_reply_as_json(message))
    return orjson.dumps(_notice_as_json(message))


def pack(messages: Sequence[Message]) -> list[tuple[str, str, bytes]]:
    """(destination, topic, body) of as few deliveries as carry all messages, at most PACK_LIMIT in each."""
    by_topic: dict[tuple[str, str], list[bytes]] = {}
    for message in messages:
        by_topic.setdefault(destination_and_topic(message), []).append(encode(message))
    return [
        (destination, topic, b"[" + b",".join(bodies) + b"]")
        for (destination, topic), encoded in by_topic.items()
        for bodies in _portions(encoded)
    ]


def _portions(encoded: Iterable[bytes]) -> Iterable[list[bytes]]:
    portion: list[bytes] = []
    size = 0
    for body in encoded:
        if portion and (len(portion) == PACK_LIMIT or size + len(body) > MESSAGE_LIMIT):
            yield portion
            portion, size = [], 0
        portion.append(body)
        size += len(body) + 1
    if portion:
        yield portion


def unpack(body: bytes) -> list[Any]:
    """The list in a delivery's body; DecodeError when it is not UTF-8 JSON, no list, empty or too large."""
    if len(body) > BODY_LIMIT:
        raise DecodeError(f"body has {len(body)} bytes: at most {BODY_LIMIT} are allowed")
    content = _strict_json(body)
    if not isinstance(content, list) or not content:
        raise DecodeError("body is not a list of messages: a JSON list with at least one message is allowed")
    return content


def _strict_json(body: bytes) -> Any:
    """orjson is fast but silently keeps the last of two equal keys. Writing the value out again and finding the same
    length shows that nothing was dropped; only what differs is read a second time, slowly and strictly.
    """
    try:
        content = orjson.loads(body)
        if len(orjson.dumps(content)) == len(body):
            return content
        return read_strictly(body.decode())
    except orjson.JSONDecodeError as error:
        raise DecodeError(f"body is not UTF-8 JSON: {str(error)[:120]}") from None
    except RecursionError:
        raise DecodeError(f"body is nested too deeply: at most {DEPTH_LIMIT} levels are allowed") from None
    except (StrictJsonError, orjson.JSONEncodeError) as error:
        raise DecodeError(f"body is not acceptable JSON: {str(error)[:120]}") from None


def decode(content: Any, service: str, sender: str | None = None) -> Message:
    """The message that one entry of the list is; `service` is who reads it. DecodeError says what is wrong with it.

    A service reads commands; ShopManager reads replies and notices. `sender`: as the broker says.
    """
    fields = Fields(content)
    kind = fields.choice("kind", ("reply", "notice") if service == SHOP_MANAGER else ("command",))
    if kind == "notice":
        return _notice(fields)
    message: Message = _command(fields, service) if kind == "command" else _reply(fields, sender)
    written = orjson.dumps(fields.content)
    if len(written) > MESSAGE_LIMIT:
        raise DecodeError(f"message is over {MESSAGE_LIMIT} bytes", message.id)
    brackets = written.count(b"{") + written.count(b"[")  # mostly too few to be deep, and then nobody need look
    if brackets > DEPTH_LIMIT and _deeper_than(fields.content["document"], DEPTH_LIMIT):
        raise DecodeError(f"document is nested deeper than {DEPTH_LIMIT} levels", message.id)
    return message


def _command(fields: Fields, service: str) -> Command:
    command = Command(
        service=service,
        name=fields.name("name"),
        version=fields.count("version"),
        clerk=fields.id("clerk"),
        step=fields.id("step"),
        attempt=fields.count("attempt"),
        direction="do" if fields.choice("direction", ("do", "undo")) == "do" else "undo",
        document=fields.document(),
        sent_at=fields.optional("sent_at", fields.moment),
        deadline=fields.optional("deadline", fields.moment),
        causation=fields.optional("causation", fields.text),
        traceparent=fields.traceparent(),
    )
    fields.must_say("id", command.id)
    _same_clerk(fields, command)
    return command


def _reply(fields: Fields, sender: str | None) -> Reply:
    outcome = fields.choice("outcome", ("done", "refused", "undone", "unsupported"))
    reply = Reply(
        name=fields.name("name"),
        version=fields.count("version"),
        clerk=fields.id("clerk"),
        step=fields.id("step"),
        attempt=fields.count("attempt"),
        direction="do" if fields.choice("direction", ("do", "undo")) == "do" else "undo",
        outcome=outcome,  # type: ignore[arg-type]  # `choice` has just held it against the same four words
        refusal=fields.refusal() if outcome == "refused" else None,
        document=fields.document(),
        sent_at=fields.optional("sent_at", fields.moment),
        traceparent=fields.traceparent(),
        report=fields.optional("report", fields.count) or 0,
        sender=sender,
    )
    if reply.report and (reply.direction, outcome) != ("do", "undone"):
        raise fields.fail("report", "nothing, but beside direction do and outcome undone")
    fields.must_say("in_reply_to", reply.in_reply_to)
    _same_clerk(fields, reply)
    return reply


def _notice(fields: Fields) -> ParkedNotice:
    return ParkedNotice(
        service=fields.choice("service", SERVICES),
        parked=fields.id("parked"),
        reason=fields.text("reason"),
        queue=fields.text("queue"),
        command=fields.optional("command", fields.text),
        body=fields.bytes("body"),
        size=fields.count("size"),
        sent_at=fields.moment("sent_at"),
        poison=fields.optional("killer", fields.flag) or False,
        sender=fields.optional("sender", fields.text),
        forged=fields.optional("forged", fields.flag) or False,
    )


def _same_clerk(fields: Fields, message: Command | Reply) -> None:
    head = message.document.get("clerk", {})
    if not isinstance(head, dict) or head.get("id", message.clerk) != message.clerk:
        raise DecodeError("field document.clerk.id does not name the message's clerk", fields.about)


_NESTED = (dict, list)


def _deeper_than(value: Any, limit: int) -> bool:
    level = [value]
    for _ in range(limit):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, _NESTED)
        ]
        if not level:
            return False
    return True


def _command_as_json(command: Command) -> dict[str, Any]:
    return {
        "id": command.id,
        "kind": "command",
        "name": command.name,
        "version": command.version,
        "clerk": command.clerk,
        "step": command.step,
        "attempt": command.attempt,
        "direction": command.direction,
        "deadline": None if command.deadline is None else to_wire(command.deadline),
        "causation": command.causation,
        "traceparent": command.traceparent,
        "sent_at": None if command.sent_at is None else to_wire(command.sent_at),
        "document": command.document,
    }


def _reply_as_json(reply: Reply) -> dict[str, Any]:
    return {
        "id": reply.id,
        "kind": "reply",
        "name": reply.name,
        "version": reply.version,
        "clerk": reply.clerk,
        "step": reply.step,
        "attempt": reply.attempt,
        "direction": reply.direction,
        "in_reply_to": reply.in_reply_to,
        "outcome": reply.outcome,
        **({"refusal": reply.refusal.as_json()} if reply.refusal else {}),
        **({"report": reply.report} if reply.report else {}),
        "traceparent": reply.traceparent,
        "sent_at": None if reply.sent_at is None else to_wire(reply.sent_at),
        "document": reply.document,
    }


def _notice_as_json(notice: ParkedNotice) -> dict[str, Any]:
    return {
        "id": notice.id,
        "kind": "notice",
        "service": notice.service,
        "parked": notice.parked,
        "reason": notice.reason,
        "queue": notice.queue,
        "command": notice.command,
        "body": base64.b64encode(notice.body).decode(),
        "size": notice.size,
        "sent_at": to_wire(notice.sent_at),
        "killer": notice.poison,
        **({"forged": True, "sender": notice.sender} if notice.forged else {}),
    }
