"""The parts of the OpenAPI document that its operations share: problems, headers, parameters, tags. Plain values."""

from __future__ import annotations

import re
from typing import Any

from domain.public_url import PublicAddress
from http_api import documented as names
from http_api.problems import CODES, Problem

Json = dict[str, Any]
SCHEMA, PARAMETER, HEADER, EXAMPLE, RESPONSE = (
    f"#/components/{kind}/" for kind in ("schemas", "parameters", "headers", "examples", "responses")
)
PROBLEM = "Problem"
DESCRIPTION = """\
Takes an order through four services, so that at the end everything about it is done, or everything is undone.

Times are RFC 3339 in UTC; amounts are whole numbers in the minor units of an ISO 4217 currency.
Answers may get further members: ignore those that you do not know.
Every error is `application/problem+json`: decide by its `code`, never by its text.
"""
TAGS = {
    "sessions": "Open an order session, follow it, call it off.",
    "directory": "Customers and shops, for the shop's backend.",
    "shop": "What is sold, and each session's cart.",
    "payment": "Each session's payment.",
    "fulfillment": "Stock and shipments.",
    "risk": "What customers may owe.",
    "operators": "What is stuck and why, and what an operator can do about it.",
    "keys": "What the key is good for that a call is made with.",
    "health": "Is this process alive, is it ready, and its figures.",
    "faults": "The switchboard of faults, in development only.",
}
_TEXT_OR_NULL: Json = {"anyOf": [{"type": "string"}, {"type": "null"}]}
PROBLEM_SCHEMA: Json = {
    "type": "object",
    "title": PROBLEM,
    "description": "RFC 9457; the codes are explained under /docs/errors.",
    "required": [
        "type", "title", "status", "detail", "instance", "code", "param", "retryable", "session_id", "request_id",
    ],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "one sentence for whoever called"},
        "instance": {"type": "string", "format": "uri-reference"},
        "code": {"type": "string", "enum": list(CODES)},
        "param": {
            **_TEXT_OR_NULL,
            "description": "the first wrong field as a JSONPath, or the name of a header or parameter",
        },
        "retryable": {"type": "boolean", "description": "may the very same request succeed later?"},
        "session_id": _TEXT_OR_NULL,
        "request_id": {"type": "string"},
        "errors": {"type": "array", "items": {"$ref": f"{SCHEMA}WrongField"}},
    },
}  # fmt: skip
WRONG_FIELD: Json = {
    "type": "object",
    "title": "WrongField",
    "description": "One wrong field, and what is allowed.",
    "required": ["param", "detail"],
    "properties": {"param": {"type": "string"}, "detail": {"type": "string"}},
}
JSON_OBJECT: Json = {
    "type": "object",
    "title": "JsonObject",
    "description": "An object of any JSON: its members are whatever its writer has put there.",
    "additionalProperties": True,
    "examples": [{"gift": True}],
}


def _header(text: str, example: Any, **schema: Any) -> Json:
    return {"description": text, "schema": {"type": "string", **schema}, "example": example}


def _parameter(name: str, text: str, example: Any, *, required: bool = False, **schema: Any) -> Json:
    return {"name": name, "in": "header", "required": required, **_header(text, example, **schema)}


PARAMETERS: dict[str, Json] = {
    names.IDEMPOTENCY_KEY: _parameter(
        "Idempotency-Key",
        "The same key with the same body gets the same answer, for 24 hours. Without an access key it must be one "
        "that nobody can guess: a random UUID.",
        "8e03978e-40d5-43e8-bc93-6894a57f9324",
        minLength=1,
        maxLength=255,
    ),
    names.IF_MATCH: _parameter("If-Match", "Only if it is still at this version: else 412.", '"7"'),
    names.IF_MATCH_NEEDED: _parameter(
        "If-Match", "The version that was seen: 428 without it, 412 when it is another one by now.", '"7"',
        required=True,
    ),
    names.IF_NONE_MATCH: _parameter("If-None-Match", "The version that is known: 304 while it is so.", '"7"'),
    names.IF_NONE_MATCH_TO_WRITE: _parameter("If-None-Match", "`*`: only if there is none yet, else 412.", "*"),
    names.PREFER: _parameter(
        "Prefer", "`wait=20`: answer once the version has changed, at the latest after so many seconds.", "wait=20"
    ),
    names.LAST_EVENT_ID: _parameter("Last-Event-ID", "The version that was seen last: only later ones come.", "7"),
    names.REQUEST_ID: _parameter(
        "Request-Id", "A name for this request in our log; one is made without it.", "req_1", minLength=1, maxLength=128
    ),
}  # fmt: skip
HEADERS: dict[str, Json] = {
    names.ETAG: _header("The version of what was answered, in quotes.", '"7"'),
    names.LOCATION: _header("Where what was made is found.", "/shop/session/clk_0193k2v8p4q7"),
    names.RETRY_AFTER: _header("Seconds after which it may succeed.", 1, type="integer", minimum=1),
    names.IDEMPOTENT_REPLAYED: _header(
        "`true`: this is the stored answer of an earlier request.", "true", enum=["true"]
    ),
    names.SESSION_ETAG: _header(
        "The session's version at this moment, for `If-None-Match` with `Prefer: wait`, and for `If-Match`.", '"7"'
    ),
    names.PREFERENCE_APPLIED: _header("How long the call was willing to wait.", "wait=20"),
    names.REQUEST_ID: _header("The request's name in our log.", "req_1"),
}


def key(name: str) -> str:
    """The name under which a header stands among the components: `If-Match (needed)` → `IfMatchNeeded`."""
    return "".join(part[:1].upper() + part[1:] for part in re.findall(r"\w+", name))


def camel(code: str) -> str:
    """`not_found` → `NotFound`."""
    return "".join(part.capitalize() for part in code.split("_"))


def header_refs(wanted: list[str]) -> Json:
    return {name: {"$ref": HEADER + key(name)} for name in dict.fromkeys(wanted)}


def server(public: PublicAddress) -> Json:
    """Where the API is: on the machine that this document comes from, below the path of the public address."""
    return {"url": public.prefix or "/"}


def problem_example(code: str) -> Json:
    """A problem of that code as it is sent."""
    known = CODES[code]
    return {"summary": known.title, "value": Problem(code).body("req_1")}
