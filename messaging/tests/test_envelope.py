"""What may be in a delivery, and what is said about one that cannot be read (semantics B1, M8)."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest

from domain.messages import Command, Notice, Reply, answer
from domain.refusals import Refused
from messaging.envelope import (
    MESSAGE_LIMIT,
    PACK_LIMIT,
    decode,
    encode,
    exchange_and_key,
    pack,
    unpack,
)
from messaging.fields import Unreadable

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


def wire(message: Command | Reply | Notice) -> dict[str, Any]:
    content = orjson.loads(encode(message))
    assert isinstance(content, dict)
    return content


@pytest.mark.parametrize(
    ("message", "reader"),
    [
        (COMMAND, "risk"),
        (answer(COMMAND, "done", COMMAND.document, 5_000), "shop_manager"),
        (answer(COMMAND, "refused", {}, 5_000, Refused("credit_exceeded", "too much")), "shop_manager"),
        (Notice("risk", "prk_1", "no JSON", "risk.commands.v1", None, b"\xff{", 2, 5_000), "shop_manager"),
        (Notice("risk", "prk_1", "gone", "risk.commands.v1", "clk_1/a/1/do", b"[]", 2, 5_000, True), "shop_manager"),
    ],
)
def test_a_message_comes_out_as_it_went_in(message: Command | Reply | Notice, reader: str) -> None:
    [(exchange, key, body)] = pack([message])
    assert (exchange, key) == exchange_and_key(message)
    assert [decode(content, reader) for content in unpack(body)] == [message]


def test_routing_keys_name_the_addressee_the_command_and_its_version() -> None:
    assert exchange_and_key(COMMAND) == ("clerk.commands", "risk.ReserveCredit.v1")
    assert exchange_and_key(answer(COMMAND, "done", {}, 0)) == ("clerk.replies", "shop_manager.ReserveCredit.v1")


def test_the_wire_form_has_the_fields_that_the_design_names() -> None:
    command = wire(COMMAND)
    assert command["id"] == "clk_1/credit/1/do"
    assert {"kind", "name", "version", "clerk", "step", "attempt", "direction", "causation", "traceparent", "sent_at",
            "document"} <= command.keys()  # fmt: skip
    reply = wire(answer(COMMAND, "refused", {}, 0, Refused("no", "why")))
    assert reply["in_reply_to"] == "clk_1/credit/1/do"
    assert reply["refusal"] == {"code": "no", "detail": "why"}


def test_messages_for_one_key_share_deliveries_up_to_the_pack_limit() -> None:
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


@pytest.mark.parametrize("name", BAD_BODIES)
def test_B1_a_bad_body_is_unreadable_with_one_clear_line(name: str) -> None:
    with pytest.raises(Unreadable) as error:
        read_all(BAD_BODIES[name])
    assert "\n" not in str(error.value)
    assert 10 < len(str(error.value)) < 400


BAD_FIELDS: list[tuple[str, Any]] = [
    ("kind", "reply"),
    ("kind", "wish"),
    ("kind", None),
    ("name", ""),
    ("name", 7),
    ("version", "1"),
    ("version", True),
    ("version", -1),
    ("clerk", ""),
    ("clerk", "   "),
    ("clerk", "a/b"),
    ("clerk", "x" * 200),
    ("step", ""),
    ("attempt", 1.5),
    ("direction", "sideways"),
    ("document", None),
    ("document", [1]),
    ("id", "clk_1/credit/2/do"),
    ("deadline", "yesterday"),
    ("sent_at", "2026-01-01T00:00:00"),
]


@pytest.mark.parametrize(("field", "value"), BAD_FIELDS)
def test_B1_and_M8_a_bad_field_is_named_with_what_is_allowed(field: str, value: Any) -> None:
    with pytest.raises(Unreadable, match="allowed") as error:
        decode({**wire(COMMAND), field: value}, "risk")
    assert field in str(error.value) or field in ("clerk", "step", "attempt")


@pytest.mark.parametrize(
    "field", ["kind", "name", "version", "clerk", "step", "attempt", "direction", "document", "id"]
)
def test_B1_a_missing_field_is_named(field: str) -> None:
    content = wire(COMMAND)
    del content[field]
    with pytest.raises(Unreadable, match=field):
        decode(content, "risk")


@pytest.mark.parametrize("about", ["clk_1/credit\x00/1/do", "\ud83e\udd86", "x" * 500])
def test_B1_what_a_bad_message_says_it_is_about_is_kept_only_when_every_database_can_keep_it(about: str) -> None:
    with pytest.raises(Unreadable) as error:
        decode({**wire(COMMAND), "id": about}, "risk")
    assert error.value.command is None


def test_B1_a_document_nested_too_deeply_is_unreadable() -> None:
    nested: Any = "leaf"
    for _ in range(70):
        nested = {"deeper": nested}
    with pytest.raises(Unreadable, match="nested deeper"):
        decode({**wire(COMMAND), "document": nested}, "risk")


def test_B1_a_message_over_the_limit_is_unreadable() -> None:
    with pytest.raises(Unreadable, match="bytes"):
        decode({**wire(COMMAND), "document": {"blob": "x" * MESSAGE_LIMIT}}, "risk")


def test_B1_a_message_whose_document_is_anothers_is_unreadable() -> None:
    with pytest.raises(Unreadable, match=r"document\.clerk\.id"):
        decode({**wire(COMMAND), "document": {"clerk": {"id": "clk_2"}}}, "risk")


def test_white_space_and_escapes_are_no_reason_to_park_a_message() -> None:
    body = json.dumps([wire(COMMAND)], indent=2, ensure_ascii=True).encode()
    assert [decode(content, "risk") for content in unpack(body)] == [COMMAND]


def test_a_trace_context_that_cannot_be_read_is_dropped_and_the_message_goes_on() -> None:
    message = decode({**wire(COMMAND), "traceparent": "nonsense"}, "risk")
    assert isinstance(message, Command)
    assert message.traceparent is None
