"""Compares every answer of an application with its OpenAPI document: nothing may be answered that is not documented."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from datetime import datetime
from typing import Any

from fastapi import FastAPI
from jsonschema import Draft202012Validator, FormatChecker
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from http_api.documented import (
    ETAG,
    IDEMPOTENT_REPLAYED,
    LOCATION,
    PREFERENCE_APPLIED,
    REQUEST_ID,
    RETRY_AFTER,
    SESSION_ETAG,
)

PROBLEM = "application/problem+json"
HEADERS = (ETAG, IDEMPOTENT_REPLAYED, LOCATION, PREFERENCE_APPLIED, REQUEST_ID, RETRY_AFTER, SESSION_ETAG)
ALWAYS = (ETAG, LOCATION, REQUEST_ID)
"""Those that every answer has for which they are documented, unless it is a problem."""
FORMATS = FormatChecker(())


@FORMATS.checks("date-time", ValueError)
def is_moment(text: object) -> bool:
    return not isinstance(text, str) or (text.endswith("Z") and datetime.fromisoformat(text).tzinfo is not None)


class AnswerCheck:
    """The documented answers of one application.

    `seen`: (operationId, status) of all that were compared; `found`: what was answered and is not documented.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self.seen: set[tuple[str, int]] = set()
        self.found: list[str] = []
        self._known: set[int] = set()
        self._components = closed(document["components"])
        self._paths = sorted(document["paths"], key=lambda path: path.count("{"))
        self._validators: dict[str, Draft202012Validator] = {}

    def look(self, method: str, path: str, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Compare one answer; the same one again costs nothing."""
        key = hash((method, path, status, tuple(sorted(headers)), body))
        if key not in self._known:
            self._known.add(key)
            self.found += self.wrong(method, path, status, headers, body)

    def wrong(self, method: str, path: str, status: int, headers: Mapping[str, str], body: bytes) -> list[str]:
        """What of the answer is not documented. A path or method that is no operation has nothing to compare."""
        operation = self._operation(method, path)
        if operation is None:
            return []
        response = self._response(operation, status)
        called = f"{operation['operationId']} {status}"
        if response is None:
            return [f"{called}: the status is not documented"]
        self.seen.add((operation["operationId"], status))
        found = [*self._wrong_headers(response, headers), *self._wrong_body(response, headers, body)]
        return [f"{called}: {each}" for each in found]

    def _operation(self, method: str, path: str) -> Any:
        for template in self._paths:
            if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path):
                operation = self.document["paths"][template].get(method.lower())
                if operation is not None:
                    return operation
        return None

    def _response(self, operation: Mapping[str, Any], status: int) -> Any:
        found = operation["responses"].get(str(status))
        if found is None and status >= 400:
            found = operation["responses"]["default"] if status in (400, 405, 431) else None
        if found is not None and "$ref" in found:
            found = self.document["components"]["responses"][found["$ref"].rpartition("/")[2]]
        return found

    def _wrong_headers(self, response: Mapping[str, Any], headers: Mapping[str, str]) -> Iterator[str]:
        documented = response.get("headers", {})
        is_problem = PROBLEM in response.get("content", {})
        for name in HEADERS:
            if name.lower() in headers and name not in documented:
                yield f"the header {name} is not documented"
            if name in ALWAYS and name in documented and name.lower() not in headers and not is_problem:
                yield f"the header {name} is missing"

    def _wrong_body(self, response: Mapping[str, Any], headers: Mapping[str, str], body: bytes) -> Iterator[str]:
        kind = headers.get("content-type", "").partition(";")[0]
        content = response.get("content", {})
        if not body and not content:
            return
        if kind not in content:
            yield f"{kind or 'no body'} is not documented"
        elif kind.endswith("json"):
            yield from self._wrong_json(content[kind], kind, json.loads(body))

    def _wrong_json(self, media: Mapping[str, Any], kind: str, value: Any) -> Iterator[str]:
        name = media["schema"]["$ref"]
        if name not in self._validators:
            schema = {"$ref": name, "components": self._components}
            self._validators[name] = Draft202012Validator(schema, format_checker=FORMATS)
        for error in self._validators[name].iter_errors(value):
            yield f"{error.json_path}: {error.message[:300]}"
        if kind == PROBLEM and value["status"] not in (400, 405, 431) and value["code"] not in media["examples"]:
            yield f"the code {value['code']} is not documented"


def checked(app: FastAPI) -> AnswerCheck:
    """From now on every answer of the application is compared as it goes out; `found` collects what is wrong."""
    check = AnswerCheck(app.openapi())
    app.add_middleware(CheckingMiddleware, check=check)
    return check


class CheckingMiddleware:
    """Pages for people are left out: they have no schema."""

    def __init__(self, app: ASGIApp, check: AnswerCheck) -> None:
        self.app = app
        self.check = check

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(("/dashboard", "/docs", "/openapi.json")):
            await self.app(scope, receive, send)
            return
        begun: list[Message] = []
        parts: list[bytes] = []

        async def passing(message: Message) -> None:
            if message["type"] == "http.response.start":
                begun.append(message)
                if any(value.startswith(b"text/event-stream") for _, value in message["headers"]):
                    self._look(scope, message, b"")  # a stream has no end that could be waited for
            else:
                parts.append(message.get("body", b""))
                if not message.get("more_body", False):
                    self._look(scope, begun[0], b"".join(parts))
            await send(message)

        await self.app(scope, receive, passing)

    def _look(self, scope: Scope, begun: Message, body: bytes) -> None:
        headers = {name.decode().lower(): value.decode("latin-1") for name, value in begun["headers"]}
        self.check.look(scope["method"], scope["path"], begun["status"], headers, body)


def closed(schemas: Any) -> Any:
    """The schemas, so that an object has no members but the documented ones."""
    found = deepcopy(schemas)
    _close(found)
    return found


def _close(schema: Any) -> None:
    if isinstance(schema, list):
        for each in schema:
            _close(each)
    elif isinstance(schema, dict):
        if isinstance(schema.get("properties"), dict) and schema.get("type") == "object":
            schema.setdefault("additionalProperties", False)
        for each in schema.values():
            _close(each)
