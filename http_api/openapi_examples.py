"""Examples of the OpenAPI document: each stands once among the components, and wherever its model is sent or answered.

A model's own example is what its schema carries (`answers.py`); of a page it is a page with that of its items.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from http_api import openapi_parts as parts
from http_api.answers import EXAMPLE

Json = dict[str, Any]


class Examples:
    """Takes the models' examples out of the schemas; `shown` are those that an operation refers to."""

    def __init__(self, schemas: Json) -> None:
        self._schemas = schemas
        self.shown: Json = {}

    def show_in(self, operation: Json) -> None:
        """In the operation's request body, and in its answers that are no problems."""
        good = [each for status, each in operation["responses"].items() if status.startswith("2")]
        for each in (operation.get("requestBody", {}), *good):
            for media in each.get("content", {}).values():
                found = dict(self._of(media["schema"].get("$ref", "")))
                self.shown |= {name: {"value": value} for name, value in found.items()}
                if found:
                    media["examples"] = {name: {"$ref": parts.EXAMPLE + name} for name in found}

    def _of(self, ref: str) -> Iterator[tuple[str, Any]]:
        """(name, value) of the schema's example; of a choice those of each."""
        name = ref.removeprefix(parts.SCHEMA)
        schema = self._schemas.get(name, {})
        for choice in schema.get("oneOf", []):
            yield from self._of(choice["$ref"])
        if EXAMPLE in schema:
            yield name, json.loads(schema[EXAMPLE])
        if "has_more" in schema.get("properties", {}):
            items = [value for _, value in self._of(schema["properties"]["data"]["items"]["$ref"])]
            if items:
                yield name, {"data": items, "has_more": False, "next_cursor": None}

    def leave_the_schemas(self) -> None:
        for schema in self._schemas.values():
            schema.pop(EXAMPLE, None)
