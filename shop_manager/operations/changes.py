"""What each line of a Clerk's history changed in its document: added, changed, removed, by field. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from domain.document import Document
from shop_manager.saga.state import HistoryEntry

Changes = dict[str, dict[str, Any]]


def changes_by_number(history: Sequence[tuple[int, HistoryEntry]]) -> dict[int, Changes]:
    """By the number of the history line: `{added: {field: value}, changed: {field: {before, after}}, removed: {…}}`.

    Fields are JSONPaths such as `$.payment.card.last4`; lines that changed nothing are left out.
    """
    found: dict[int, Changes] = {}
    document: Document = {}
    for number, entry in history:
        after = _after(document, entry)
        if after is not document:
            found[number] = difference(document, after)
            document = after
    return found


def difference(before: Document, after: Document) -> Changes:
    """What has to happen to one document to become the other."""
    old, new = dict(_fields("$", before)), dict(_fields("$", after))
    return {
        "added": {path: value for path, value in new.items() if path not in old},
        "changed": {
            path: {"before": old[path], "after": value}
            for path, value in new.items()
            if path in old and old[path] != value
        },
        "removed": {path: value for path, value in old.items() if path not in new},
    }


def _after(document: Document, entry: HistoryEntry) -> Document:
    if entry.what == "opened":
        opened: Document = entry.data["document"]
        return opened
    if entry.what in ("done", "undone", "reported", "refused") and entry.data.get("content") is not None:
        return {**document, entry.data["section"]: entry.data["content"]}
    return document


def _fields(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """The leaves of a JSON value; an empty object or list is a leaf itself."""
    if isinstance(value, Mapping) and value:
        for name, inner in value.items():
            yield from _fields(f"{path}.{name}" if str(name).isidentifier() else f"{path}[{name!r}]", inner)
    elif isinstance(value, list) and value:
        for index, inner in enumerate(value):
            yield from _fields(f"{path}[{index}]", inner)
    else:
        yield path, value
