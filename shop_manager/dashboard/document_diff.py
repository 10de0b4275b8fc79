"""What a history entry changed in the Clerk document, field by field: added, changed, removed. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

MARKS = {"added": "+", "changed": "~", "removed": "−"}


class FieldChange(NamedTuple):
    """`kind` is added, changed or removed; `before` and `after` are JSON, and empty where there is none."""

    kind: str
    field: str
    before: str
    after: str

    @property
    def mark(self) -> str:
        return MARKS[self.kind]


def changes_of(changes: Mapping[str, Mapping[str, Any]] | None) -> list[FieldChange]:
    """From `{added: {field: value}, changed: {field: {before, after}}, removed: {field: value}}`, by field."""
    if not changes:
        return []
    found = [FieldChange("added", field, "", as_json(value)) for field, value in changes["added"].items()]
    found += [
        FieldChange("changed", field, as_json(each["before"]), as_json(each["after"]))
        for field, each in changes["changed"].items()
    ]
    found += [FieldChange("removed", field, as_json(value), "") for field, value in changes["removed"].items()]
    return sorted(found, key=lambda change: change.field)


def summary_of(changes: list[FieldChange]) -> str:
    """`2 added, 1 changed`."""
    counts = {kind: sum(change.kind == kind for change in changes) for kind in MARKS}
    return ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)


def as_json(value: Any, *, indent: bool = False) -> str:
    """One line of JSON, or several."""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 if indent else None).decode()
