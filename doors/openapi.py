"""The OpenAPI document with our errors in it: one schema, the default answer of every operation."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from doors.problems import CODES, MEDIA_TYPE

_TEXT_OR_NULL = {"anyOf": [{"type": "string"}, {"type": "null"}]}
_WRONG_FIELD = {
    "type": "object",
    "required": ["param", "detail"],
    "properties": {"param": {"type": "string"}, "detail": {"type": "string"}},
}
PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "title": "Problem",
    "description": "RFC 9457; the codes are explained under /docs/errors.",
    "required": ["type", "title", "status", "detail", "instance", "code", "retryable", "request_id"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string", "format": "uri-reference"},
        "code": {"type": "string", "enum": list(CODES)},
        "param": _TEXT_OR_NULL,
        "retryable": {"type": "boolean"},
        "session_id": _TEXT_OR_NULL,
        "request_id": {"type": "string"},
        "errors": {"type": "array", "items": _WRONG_FIELD},
    },
}
DEFAULT_ANSWER: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "An error",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
}
_FRAMEWORKS_OWN = ("HTTPValidationError", "ValidationError")


def describe_errors(app: FastAPI) -> None:
    """From now on `app.openapi()` names our Problem where the framework would promise its own validation error."""
    drawn = app.openapi

    def openapi() -> dict[str, Any]:
        document = drawn()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        if "Problem" not in schemas:
            for name in _FRAMEWORKS_OWN:
                schemas.pop(name, None)
            schemas["Problem"] = PROBLEM_SCHEMA
            _drop_frameworks_422(document)
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's own documented way of extending the document


def _drop_frameworks_422(document: dict[str, Any]) -> None:
    for item in document.get("paths", {}).values():
        for operation in item.values():
            answer = operation.get("responses", {}).get("422", {})
            if any(name in str(answer) for name in _FRAMEWORKS_OWN):
                del operation["responses"]["422"]
