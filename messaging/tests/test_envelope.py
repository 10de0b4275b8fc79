"""What may be in a delivery, and what is said about one that cannot be read (semantics B1, M8)."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest

from domain.messages import Command, ParkedNotice, Reply, answer
from domain.refusals import Refused
from messaging.envelope import (
    MESSAGE_LIMIT,
    PACK_LIMIT,
    decode,
    destination_and_topic,
    encode,
    pack,
    unpack,
)
from messaging.fields import DecodeError

COMMAND = Command(
    service="risk",
    name="ReserveCredit",
    version=1,
    clerk="clk_1",
    step="credit",
    attempt=1,
    direction="do",
    document={"clerk": {"id": "clk_1"}, "order": {"total": 2590}, "future": {"thing": [1, {"ü": None}]}},
    sent_at=1_800_000_000_123,
    deadline=1_800_000_060_000,
    causation="clk_1/4",
    traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
)


def wire(message: Command | Reply | ParkedNotice) -> dict[str, Any]:
    content = orjson.loads(encode(message))
    assert isinstance(content, dict)
    return content


@pytest.mark.parametrize(
    ("message", "reader"),
    [
        (COMMAND, "risk"),
        (answer(COMMAND, "done", COMMAND.document, 5_000), "shop_manager"),
        (answer(COMMAND, "refused", {}, 5_000, Refused("credit_exceeded", "too much")), "shop_manager"),
        (ParkedNotice("risk", "prk_1", "no JSON", "risk.commands.v1", None, b"\xff{", 2, 5_000), "shop_manager"),
        (
            ParkedNotice("risk", "prk_1", "gone", "risk.commands.v1", "clk_1/a/1/do", b"[]", 2, 5_000, True),
            "shop_manager",
        ),
    ],
)
def test_a_message_comes_out_as_it_went_in(message: Command | Reply | ParkedNotice, reader: str) -> None:
    [(destination, topic, body)] = pack([message])
    assert (destination, topic) == destination_and_topic(message)
    assert [decode(content, reader) for content in unpack(body)] == [message]


def test_topics_name_the_addressee_the_command_and_its_version() -> None:
    assert destination_and_topic(COMMAND) == ("clerk.commands", "risk.ReserveCredit.v1")
    assert destination_and_topic(answer(COMMAND, "done", {}, 0)) == ("clerk.replies", "shop_manager.ReserveCredit.v1")


def test_the_wire_form_has_the_fields_that_the_design_names() -> None:
    assert wire(COMMAND) == {
        "id": "clk_1/credit/1/do",
        "kind": "command",
        "name": "ReserveCredit",
        "version": 1,
        "clerk": "clk_1",
        "step": "credit",
        "attempt": 1,
        "direction": "do",
        "deadline": "2027-01-15T08:01:00.000Z",
        "causation": "clk_1/4",
        "traceparent": COMMAND.traceparent,
        "sent_at": "2027-01-15T08:00:00.123Z",
        "document": COMMAND.document,
    }
    reply = wire(answer(COMMAND, "refused", {}, 0, Refused("no", "why")))
    assert reply == {
        "id": "clk_1/credit/1/do/reply",
        "kind": "reply",
        "name": "ReserveCredit",
        "version": 1,
        "clerk": "clk_1",
        "step": "credit",
        "attempt": 1,
        "direction": "do",
        "in_reply_to": "clk_1/credit/1/do",
        "outcome": "refused",
        "refusal": {"code": "no", "detail": "why"},
        "traceparent": COMMAND.traceparent,
        "sent_at": "1970-01-01T00:00:00.000Z",
        "document": {},
    }
    assert "refusal" not in wire(answer(COMMAND, "done", {}, 0))


def test_a_notice_says_on_the_wire_that_a_message_killed_its_process() -> None:
    notice = wire(ParkedNotice("risk", "prk_1", "gone", "risk.commands.v1", "clk_1/a/1/do", b"[]", 2, 5_000, True))
    assert notice == {
        "id": "prk_1/notice",
        "kind": "notice",
        "service": "risk",
        "parked": "prk_1",
        "reason": "gone",
        "queue": "risk.commands.v1",
        "command": "clk_1/a/1/do",
        "body": "W10=",
        "size": 2,
        "sent_at": "1970-01-01T00:00:05.000Z",
        "killer": True,
    }


def test_messages_with_one_topic_share_deliveries_up_to_the_pack_limit() -> None:
    packs = pack([COMMAND] * (2 * PACK_LIMIT + 1))
    assert [len(unpack(body)) for _, _, body in packs] == [PACK_LIMIT, PACK_LIMIT, 1]


def test_large_messages_travel_alone() -> None:
    large = Command(**{**_fields(COMMAND), "document": {"blob": "x" * (MESSAGE_LIMIT - 2_000)}})
    assert [len(unpack(body)) for _, _, body in pack([large, large])] == [1, 1]


def _fields(command: Command) -> dict[str, Any]:
    return {name: getattr(command, name) for name in Command.__slots__}


BAD_BODIES = {
    "empty": b"",
    "not JSON": b"{hello",
    "not UTF-8": b'[{"a": "\xff\xfe"}]',
    "no list": b'{"id": "x"}',
    "an empty list": b"[]",
    "NaN": b'[{"a": NaN}]',
    "infinity": b'[{"a": -Infinity}]',
    "the same key twice": b'[{"a": 1, "a": 1}]',
    "the same key twice, compact": b'[{"a":1,"a":1}]',
    "depth 10,000": b"[" * 10_000 + b"]" * 10_000,
    "10 MB": b'["' + b"x" * 10_000_000 + b'"]',
    "a number of 5,000 digits": b"[" + b"9" * 5_000 + b"]",
    "a whole number over 64 bits": b'[{"a": ' + b"9" * 30 + b"}]",
    "a whole number over 64 bits, compact": b'[{"a":' + b"9" * 30 + b"}]",
    "a number over 1e308": b'[{"a": 1e999}]',
    "a number over 1e308, compact": b'[{"a":1e999}]',
    "trailing garbage": b"[1] [2]",
}


def read_all(body: bytes) -> list[object]:
    return [decode(content, "risk") for content in unpack(body)]


WHAT_IS_SAID = {
    "no list": "body is not a list of messages: a JSON list with at least one message is allowed",
    "an empty list": "body is not a list of messages: a JSON list with at least one message is allowed",
    "the same key twice": "body is not acceptable JSON: an object says the same key twice",
    "the same key twice, compact": "body is not acceptable JSON: an object says the same key twice",
    "10 MB": "body has 10000004 bytes: at most 524288 are allowed",
    "a whole number over 64 bits": "body is not acceptable JSON: a whole number has more than 64 bits",
    "a whole number over 64 bits, compact": "body is not acceptable JSON: a whole number has more than 64 bits",
}
"""The others are no JSON at all, and what follows are the parser's words."""


@pytest.mark.parametrize("name", BAD_BODIES)
def test_B1_a_bad_body_is_unreadable_with_one_clear_line(name: str) -> None:
    with pytest.raises(DecodeError) as error:
        read_all(BAD_BODIES[name])
    line = str(error.value)
    if name in WHAT_IS_SAID:
        assert line == WHAT_IS_SAID[name]
    else:
        assert line.startswith("body is not UTF-8 JSON: ")
    assert "\n" not in line
    assert len(line) < 400


AN_ID = "an id of 1 to 128 printable characters without blank and slash"
BAD_VALUES: list[tuple[str, Any, str]] = [
    ("kind", "reply", "is 'reply': allowed is command"),
    ("kind", "wish", "is 'wish': allowed is command"),
    ("kind", None, "has type null: allowed is command"),
    ("name", "", "is '': allowed is a name of letters and digits"),
    ("name", 7, "is 7: allowed is a name of letters and digits"),
    ("version", "1", "is '1': allowed is a whole number"),
    ("version", True, "is True: allowed is a whole number"),
    ("version", -1, "is -1: allowed is a whole number"),
    ("clerk", "", f"is '': allowed is {AN_ID}"),
    ("clerk", "   ", f"is '   ': allowed is {AN_ID}"),
    ("clerk", "a/b", f"is 'a/b': allowed is {AN_ID}"),
    ("clerk", "x" * 200, f"has type text: allowed is {AN_ID}"),
    ("step", "", f"is '': allowed is {AN_ID}"),
    ("attempt", 1.5, "has type number: allowed is a whole number"),
    ("direction", "sideways", "is 'sideways': allowed is do or undo"),
    ("document", None, "has type null: allowed is an object"),
    ("document", [1], "has type list: allowed is an object"),
    ("id", "clk_1/credit/2/do", "does not fit the other fields: allowed is 'clk_1/credit/1/do'"),
    ("deadline", "yesterday", "is 'yesterday': allowed is an RFC 3339 time"),
    ("sent_at", "2026-01-01T00:00:00", "is '2026-01-01T00:00:00': allowed is an RFC 3339 time"),
]
BAD_FIELDS = [(field, value) for field, value, _ in BAD_VALUES]


@pytest.mark.parametrize(("field", "value", "said"), BAD_VALUES)
def test_B1_and_M8_a_bad_field_is_named_with_what_is_allowed(field: str, value: Any, said: str) -> None:
    with pytest.raises(DecodeError) as error:
        decode({**wire(COMMAND), field: value}, "risk")
    assert str(error.value) == f"field {field} {said}"


@pytest.mark.parametrize(
    ("field", "allowed"),
    [
        ("kind", "command"),
        ("name", "a name of letters and digits"),
        ("version", "a whole number"),
        ("clerk", AN_ID),
        ("step", AN_ID),
        ("attempt", "a whole number"),
        ("direction", "do or undo"),
        ("document", "an object"),
    ],
)
def test_B1_a_missing_field_is_named(field: str, allowed: str) -> None:
    content = wire(COMMAND)
    del content[field]
    with pytest.raises(DecodeError) as error:
        decode(content, "risk")
    assert str(error.value) == f"field {field} is missing: allowed is {allowed}"
    assert error.value.command == COMMAND.id


def test_B1_a_missing_id_is_named_and_what_it_should_be() -> None:
    content = wire(COMMAND)
    del content["id"]
    with pytest.raises(DecodeError) as error:
        decode(content, "risk")
    assert str(error.value) == "field id does not fit the other fields: allowed is 'clk_1/credit/1/do'"
    assert error.value.command is None


@pytest.mark.parametrize("about", ["clk_1/credit\x00/1/do", "\ud83e\udd86", "x" * 500])
def test_B1_what_a_bad_message_says_it_is_about_is_kept_only_when_every_database_can_keep_it(about: str) -> None:
    with pytest.raises(DecodeError) as error:
        decode({**wire(COMMAND), "id": about}, "risk")
    assert error.value.command is None


def test_B1_a_document_nested_too_deeply_is_unreadable() -> None:
    nested: Any = "leaf"
    for _ in range(70):
        nested = {"deeper": nested}
    with pytest.raises(DecodeError, match="nested deeper"):
        decode({**wire(COMMAND), "document": nested}, "risk")


def test_B1_a_message_over_the_limit_is_unreadable() -> None:
    with pytest.raises(DecodeError, match="bytes"):
        decode({**wire(COMMAND), "document": {"blob": "x" * MESSAGE_LIMIT}}, "risk")


def test_B1_a_message_whose_document_is_anothers_is_unreadable() -> None:
    with pytest.raises(DecodeError, match=r"document\.clerk\.id"):
        decode({**wire(COMMAND), "document": {"clerk": {"id": "clk_2"}}}, "risk")


def test_white_space_and_escapes_are_no_reason_to_park_a_message() -> None:
    body = json.dumps([wire(COMMAND)], indent=2, ensure_ascii=True).encode()
    assert [decode(content, "risk") for content in unpack(body)] == [COMMAND]


def test_a_trace_context_that_cannot_be_read_is_dropped_and_the_message_goes_on() -> None:
    message = decode({**wire(COMMAND), "traceparent": "nonsense"}, "risk")
    assert isinstance(message, Command)
    assert message.traceparent is None
