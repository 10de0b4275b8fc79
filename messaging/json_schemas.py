"""JSON Schemas (2020-12) of what travels: command, reply, notice, and the Clerk document in them.

They say what participants write. `envelope.decode` takes all of it, and refuses the rest but for a few leniencies that
tests/test_schemas.py lists. What no schema can say is in the descriptions: ids are put together from other fields, and
a message has limits of size and depth.
"""

from __future__ import annotations

from typing import Any

from domain.document import SECTION_OF, SERVICES
from messaging.envelope import DEPTH_LIMIT, MESSAGE_LIMIT

JsonSchema = dict[str, Any]
DIALECT = "https://json-schema.org/draft/2020-12/schema"
_END = r"$(?!\n)"
"""The end, in every dialect of regular expressions: in some, `$` alone lets one more line break pass."""
_ID = "[!-.0-~]{1,128}"

ID: JsonSchema = {"type": "string", "pattern": f"^{_ID}{_END}"}
COUNT: JsonSchema = {"type": "integer", "minimum": 0, "maximum": 1_000_000_000}
TEXT: JsonSchema = {"type": "string", "pattern": r"\S"}
MOMENT: JsonSchema = {
    "type": "string",
    "format": "date-time",
    "pattern": rf"^\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{{1,6}})?(Z|[+-]\d\d:\d\d){_END}",
    "description": "RFC 3339; written in UTC with milliseconds and Z",
}
AMOUNT: JsonSchema = {"type": "integer", "description": "minor units of clerk.currency"}
MESSAGE_ID: JsonSchema = {
    "type": "string",
    "pattern": rf"^{_ID}/{_ID}/\d+/(do|undo){_END}",
    "description": "<clerk>/<step>/<attempt>/<direction>, of the fields beside it: a resend is the same message",
}
REPLY_ID: JsonSchema = {
    "type": "string",
    "pattern": rf"^{_ID}/{_ID}/\d+/(do|undo)/(reply|report/\d+){_END}",
    "description": "<in_reply_to>/reply; <in_reply_to>/report/<report> of a report",
}
IS_REPORT: JsonSchema = {"properties": {"report": {"type": "integer", "minimum": 1}}, "required": ["report"]}
TRACEPARENT: JsonSchema = {
    "type": ["string", "null"],
    "pattern": f"^[0-9a-f]{{2}}-[0-9a-f]{{32}}-[0-9a-f]{{16}}-[0-9a-f]{{2}}{_END}",
    "description": "W3C trace context; one that cannot be read is dropped",
}
ANY_DOCUMENT: JsonSchema = {
    "type": "object",
    "properties": {"clerk": {"type": "object", "properties": {"id": ID}}},
    "description": f"The whole Clerk document, see document.schema.json. document.clerk.id is the message's clerk. "
    f"At most {DEPTH_LIMIT} levels deep.",
}


def or_null(schema: JsonSchema) -> JsonSchema:
    """The same, or null."""
    return {**schema, "type": [schema["type"], "null"]}


def an_object(properties: JsonSchema, required: list[str] | None = None, **more: Any) -> JsonSchema:
    """An object with these properties; others are allowed, and carried along. All are required unless said."""
    return {
        "type": "object",
        "required": list(properties) if required is None else required,
        "properties": properties,
        **more,
    }


def _titled(title: str, description: str, schema: JsonSchema) -> JsonSchema:
    limit = f" At most {MESSAGE_LIMIT} bytes. A delivery's body is a JSON list of such messages."
    return {"$schema": DIALECT, "title": title, "description": description + limit, **schema}


_ASKED: JsonSchema = {
    "name": {"type": "string", "pattern": f"^[A-Za-z][A-Za-z0-9_]{{0,63}}{_END}"},
    "version": COUNT,
    "clerk": ID,
    "step": ID,
    "attempt": COUNT,
    "direction": {"enum": ["do", "undo"]},
}
"""What a command says, and its reply repeats."""


def command_schema() -> JsonSchema:
    """Every command, from ShopManager to a service."""
    properties = {
        "id": MESSAGE_ID,
        "kind": {"const": "command"},
        **_ASKED,
        "deadline": {**or_null(MOMENT), "description": "after it nobody may act on the command any more"},
        "causation": {**or_null(TEXT), "description": "<clerk>/<number of the history entry that led to it>"},
        "traceparent": TRACEPARENT,
        "sent_at": or_null(MOMENT),
        "document": ANY_DOCUMENT,
    }
    required = ["id", "kind", *_ASKED, "document"]
    return _titled("command", "An order to one service.", an_object(properties, required))


def reply_schema() -> JsonSchema:
    """Every reply, from a service to ShopManager."""
    properties = {
        "id": REPLY_ID,
        "kind": {"const": "reply"},
        **_ASKED,
        "in_reply_to": {**MESSAGE_ID, "description": "the command's id"},
        "outcome": {"enum": ["done", "refused", "undone", "unsupported"]},
        "refusal": an_object(
            {"code": TEXT, "detail": {"type": "string"}, "internal": {"type": "string"}},
            ["code", "detail"],
            description="there when refused; `internal` is for the shop's own people",
        ),
        "report": {
            **or_null(COUNT),
            "description": "above 0: this is a report, the so-manieth of its turn; the turn stays open",
        },
        "traceparent": TRACEPARENT,
        "sent_at": or_null(MOMENT),
        "document": ANY_DOCUMENT,
    }
    required = ["id", "kind", *_ASKED, "in_reply_to", "outcome", "document"]
    refused = {
        "if": {"properties": {"outcome": {"const": "refused"}}, "required": ["outcome"]},
        "then": {"required": ["refusal"]},
    }
    report = {
        "if": IS_REPORT,
        "then": {"properties": {"direction": {"const": "do"}, "outcome": {"const": "undone"}}},
    }
    what = an_object(properties, required, allOf=[refused, report])
    return _titled("reply", "A service's answer to one command, or a report while it has none yet.", what)


def notice_schema() -> JsonSchema:
    """The notice that a service has parked a message."""
    base64 = "(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?"
    properties = {
        "id": {"type": "string", "description": "<parked>/notice"},
        "kind": {"const": "notice"},
        "service": {"enum": list(SERVICES)},
        "parked": ID,
        "reason": TEXT,
        "queue": TEXT,
        "command": {**or_null(TEXT), "description": "the id of the command it was, where it could be read that far"},
        "body": {"type": "string", "contentEncoding": "base64", "pattern": f"^{base64}{_END}"},
        "size": {**COUNT, "description": "bytes of the parked message; `body` may be cut"},
        "sent_at": MOMENT,
        "killer": {"type": ["boolean", "null"], "description": "it took the process that handled it with it"},
        "forged": {"type": ["boolean", "null"], "description": "whoever had sent it may not say it"},
        "sender": {**or_null(TEXT), "description": "of a forged one: the broker's user who had sent it"},
    }
    required = [name for name in properties if name not in ("command", "killer", "forged", "sender")]
    return _titled("notice", "A service's word that it has parked a message.", an_object(properties, required))


def document_schema() -> JsonSchema:
    """The Clerk document as ShopManager sends it. A service parses what it needs and keeps what it does not know."""
    owners = ", ".join(f"{section}: {service}" for service, section in SECTION_OF.items())
    sections = {"clerk": _clerk(), "customer": _customer(), **_SECTIONS, "metadata": {"type": "object"}}
    return {
        "$schema": DIALECT,
        "title": "document",
        "description": f"The Clerk document. Owners: {owners}; all the rest: ShopManager.",
        **an_object(sections, ["clerk", "customer", "metadata"]),
    }


def _clerk() -> JsonSchema:
    item = an_object({"sku": {"type": "string"}, "quantity": {"type": "integer"}})
    brought = {
        "items": {"type": "array", "items": item},
        "expected_total": AMOUNT,
        "payment": an_object({"token": {"type": "string"}}),
    }
    properties = {
        "id": ID,
        "version": COUNT,
        "process": {"type": "string", "description": "<name>/<version>, for life"},
        "digest": {"type": "string", "description": "hash of the process's steps"},
        "shop": ID,
        "shop_type": {"enum": ["physical", "digital", "mixed"]},
        "currency": {"type": "string", "pattern": f"^[A-Z]{{3}}{_END}"},
        "created_at": MOMENT,
        "expires_at": MOMENT,
        "secret_sha256": {"type": "string", "pattern": f"^[0-9a-f]{{64}}{_END}"},
        "client_reference": {"type": ["string", "null"]},
        "brought": an_object(brought, [], description="there when the session brought its order or card along"),
    }
    return an_object(properties, [name for name in properties if name != "brought"])


def _customer() -> JsonSchema:
    text = {"type": ["string", "null"]}
    kind = {"enum": ["guest", "regular", "trusted"]}
    return an_object({"id": text, "type": kind, "name": text, "email": text, "shipping_address": {"type": "object"}})


_STATUS: JsonSchema = {"status": {"type": "string"}}
_LINE = an_object(
    {
        "sku": {"type": "string"},
        "name": {"type": "string"},
        "quantity": {"type": "integer", "minimum": 1, "maximum": 999},
        "unit_amount": AMOUNT,
        "total": AMOUNT,
        "kind": {"enum": ["physical", "digital"], "description": "missing in older orders"},
    },
    ["sku", "name", "quantity", "unit_amount", "total"],
)
_SECTIONS: JsonSchema = {
    "order": an_object({**_STATUS, "items": {"type": "array", "items": _LINE}, "total": AMOUNT}, ["status"]),
    "credit": an_object({**_STATUS, "amount": AMOUNT}, ["status"]),
    "payment": an_object(
        {
            **_STATUS,
            "amount": AMOUNT,
            "reference": {"type": ["string", "null"]},
            "card": {"type": ["object", "null"], "description": "brand and last four digits at most"},
        },
        ["status"],
    ),
    "shipment": an_object(
        {**_STATUS, "carrier": {"type": ["string", "null"]}, "tracking": {"type": ["string", "null"]}}, ["status"]
    ),
}
