"""The body of a delivery: a JSON list of messages, read strictly, written deterministically (processes.md, Messages).

What cannot be read raises `Unreadable` with one clear sentence; the worker parks it (semantics B1).
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import orjson

from domain.document import SERVICES
from domain.ids import is_id
from domain.messages import SHOP_MANAGER, Command, Message, Notice, Reply
from domain.refusals import Refused
from domain.times import from_wire, to_wire
from messaging.broker import COMMANDS_EXCHANGE, REPLIES_EXCHANGE

MESSAGE_LIMIT = 256 * 1024
"""Bytes of one message (security S4)."""
PACK_LIMIT = 25
"""Messages in one delivery: performance.md measured that more gains little."""
BODY_LIMIT = 2 * MESSAGE_LIMIT
"""Bytes of one delivery; whatever is larger is not even parsed."""
DEPTH_LIMIT = 64
"""Levels of JSON inside a message."""

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
T = TypeVar("T")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")


class Unreadable(ValueError):
    """A body or a message that cannot be read; the text says what, where and what is allowed, never the content.

    `command` is the id of the command concerned, where it could be read that far.
    """

    def __init__(self, reason: str, command: str | None = None) -> None:
        super().__init__(reason)
        self.command = command


def exchange_and_key(message: Message) -> tuple[str, str]:
    """Where a message goes: `clerk.commands` and `risk.ReserveCredit.v1`, `clerk.replies` and `shop_manager.…`."""
    if isinstance(message, Command):
        return COMMANDS_EXCHANGE, f"{message.service}.{message.name}.v{message.version}"
    if isinstance(message, Reply):
        return REPLIES_EXCHANGE, f"{SHOP_MANAGER}.{message.name}.v{message.version}"
    return REPLIES_EXCHANGE, f"{SHOP_MANAGER}.MessageParked.v1"


def encode(message: Message) -> bytes:
    """One message as JSON."""
    if isinstance(message, Command):
        return orjson.dumps(_command_as_json(message))
    if isinstance(message, Reply):
        return orjson.dumps(_reply_as_json(message))
    return orjson.dumps(_notice_as_json(message))


def pack(messages: Sequence[Message]) -> list[tuple[str, str, bytes]]:
    """(exchange, routing key, body) of as few deliveries as carry all messages, at most PACK_LIMIT in each."""
    by_key: dict[tuple[str, str], list[bytes]] = {}
    for message in messages:
        by_key.setdefault(exchange_and_key(message), []).append(encode(message))
    return [
        (exchange, key, b"[" + b",".join(bodies) + b"]")
        for (exchange, key), encoded in by_key.items()
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
    """The list in a delivery's body; Unreadable when it is not UTF-8 JSON, no list, empty or too large."""
    if len(body) > BODY_LIMIT:
        raise Unreadable(f"body has {len(body)} bytes: at most {BODY_LIMIT} are allowed")
    content = _strict_json(body)
    if not isinstance(content, list) or not content:
        raise Unreadable("body is not a list of messages: a JSON list with at least one message is allowed")
    return content


def _strict_json(body: bytes) -> Any:
    """JSON without doubled keys, NaN, infinities, giant numbers or abysses.

    orjson is fast but silently keeps the last of two equal keys. Writing the value out again and finding the same
    length shows that nothing was dropped; only what differs is read a second time, slowly and strictly.
    """
    try:
        content = orjson.loads(body)
        if len(orjson.dumps(content)) == len(body):
            return content
        return json.loads(
            body,
            object_pairs_hook=_no_doubles,
            parse_constant=_no_constant,
            parse_int=_whole_number,
            parse_float=_fraction,
        )
    except orjson.JSONDecodeError as error:
        raise Unreadable(f"body is not UTF-8 JSON: {str(error)[:120]}") from None
    except RecursionError:
        raise Unreadable(f"body is nested too deeply: at most {DEPTH_LIMIT} levels are allowed") from None
    except ValueError as error:  # also orjson's "recursion limit" on writing, and Python's limit of digits
        raise Unreadable(f"body is not acceptable JSON: {str(error)[:120]}") from None


def _no_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise Unreadable("a JSON object has the same key twice: each key is allowed once")
    return content


def _whole_number(digits: str) -> int:
    number = int(digits)
    if not -(2**63) <= number < 2**64:
        raise Unreadable(f"a whole number has {len(digits)} digits: at most 64 bits are allowed")
    return number


def _fraction(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise Unreadable("a number is too large for JSON readers: at most about 1.8e308 is allowed")
    return number


def _no_constant(name: str) -> Any:
    raise Unreadable(f"{name} is no JSON number")


def decode(content: Any, service: str) -> Message:
    """The message that one entry of the list is; `service` is who reads it. Unreadable says what is wrong with it.

    A service reads commands; ShopManager reads replies and notices.
    """
    fields = _Fields(content)
    kind = fields.choice("kind", ("reply", "notice") if service == SHOP_MANAGER else ("command",))
    if kind == "notice":
        return _notice(fields)
    message: Message = _command(fields, service) if kind == "command" else _reply(fields)
    if len(orjson.dumps(fields.content)) > MESSAGE_LIMIT:
        raise Unreadable(f"message is over {MESSAGE_LIMIT} bytes", message.id)
    if _deeper_than(fields.content["document"], DEPTH_LIMIT):
        raise Unreadable(f"document is nested deeper than {DEPTH_LIMIT} levels", message.id)
    return message


def _command(fields: _Fields, service: str) -> Command:
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


def _reply(fields: _Fields) -> Reply:
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
    )
    fields.must_say("in_reply_to", reply.in_reply_to)
    _same_clerk(fields, reply)
    return reply


def _notice(fields: _Fields) -> Notice:
    return Notice(
        service=fields.choice("service", SERVICES),
        parked=fields.id("parked"),
        reason=fields.text("reason"),
        queue=fields.text("queue"),
        command=fields.optional("command", fields.text),
        body=fields.bytes("body"),
        size=fields.count("size"),
        sent_at=fields.moment("sent_at"),
    )


def _same_clerk(fields: _Fields, message: Command | Reply) -> None:
    head = message.document.get("clerk", {})
    if not isinstance(head, dict) or head.get("id", message.clerk) != message.clerk:
        raise Unreadable("field document.clerk.id does not name the message's clerk", fields.about)


class _Fields:
    """Typed access to one message's fields; each failure names the field and what is allowed there."""

    def __init__(self, content: Any) -> None:
        if not isinstance(content, dict):
            raise Unreadable(f"message is a JSON {_json_type(content)}: an object is allowed")
        self.content: dict[str, Any] = content
        about = content.get("in_reply_to") or content.get("id")
        self.about = about if isinstance(about, str) and len(about) < 400 else None

    def fail(self, field: str, allowed: str) -> Unreadable:
        found = f"has type {_json_type(self.content[field])}" if field in self.content else "is missing"
        value = self.content.get(field)
        if isinstance(value, str | int) and len(str(value)[:60]) < 60:
            found = f"is {value!r}"
        return Unreadable(f"field {field} {found}: allowed is {allowed}", self.about)

    def choice(self, field: str, allowed: Sequence[str]) -> str:
        value = self.content.get(field)
        if not isinstance(value, str) or value not in allowed:
            raise self.fail(field, " or ".join(allowed))
        return value

    def id(self, field: str) -> str:
        value = self.content.get(field)
        if not isinstance(value, str) or not is_id(value):
            raise self.fail(field, "an id of 1 to 128 printable characters without blank and slash")
        return value

    def name(self, field: str) -> str:
        value = self.content.get(field)
        if not isinstance(value, str) or not _NAME.fullmatch(value):
            raise self.fail(field, "a name of letters and digits")
        return value

    def text(self, field: str) -> str:
        value = self.content.get(field)
        if not isinstance(value, str) or not value.strip():
            raise self.fail(field, "a text that is not blank")
        return value

    def count(self, field: str) -> int:
        value = self.content.get(field)
        if type(value) is not int or not 0 <= value <= 1_000_000_000:
            raise self.fail(field, "a whole number")
        return value

    def moment(self, field: str) -> int:
        try:
            return from_wire(self.text(field))
        except (ValueError, OverflowError):
            raise self.fail(field, "an RFC 3339 time") from None

    def traceparent(self) -> str | None:
        """A trace context that cannot be read is dropped, as W3C asks: no order depends on it."""
        value = self.content.get("traceparent")
        return value if isinstance(value, str) and _TRACEPARENT.fullmatch(value) else None

    def bytes(self, field: str) -> bytes:
        try:
            return base64.b64decode(self.content.get(field, ""), validate=True)
        except (ValueError, TypeError):
            raise self.fail(field, "base64") from None

    def document(self) -> dict[str, Any]:
        value = self.content.get("document")
        if not isinstance(value, dict):
            raise self.fail("document", "an object")
        return value

    def refusal(self) -> Refused:
        value = self.content.get("refusal")
        if not isinstance(value, dict) or not isinstance(value.get("code"), str) or not value["code"].strip():
            raise self.fail("refusal", "an object with code and detail")
        return Refused(value["code"][:64], str(value.get("detail", ""))[:500])

    def optional(self, field: str, read: Callable[[str], T]) -> T | None:
        return read(field) if self.content.get(field) is not None else None

    def must_say(self, field: str, expected: str) -> None:
        if self.content.get(field) != expected:
            raise Unreadable(f"field {field} does not fit the other fields: allowed is {expected!r}", self.about)


def _json_type(value: Any) -> str:
    names = {dict: "object", list: "list", str: "text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "number")


def _deeper_than(value: Any, limit: int) -> bool:
    level = [value]
    for _ in range(limit):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
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
        "traceparent": reply.traceparent,
        "sent_at": None if reply.sent_at is None else to_wire(reply.sent_at),
        "document": reply.document,
    }


def _notice_as_json(notice: Notice) -> dict[str, Any]:
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
    }
