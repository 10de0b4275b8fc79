"""A mutant: production code with one deliberate error, patched in from outside while it is tested."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

Patch = Callable[[], AbstractContextManager[None]]


@dataclass(frozen=True)
class Mutant:
    """`wrong`: what it does, in one line. `invariants`: one of them must be broken, within so many seeds."""

    name: str
    wrong: str
    invariants: frozenset[str]
    within: int
    patched: Patch


@contextmanager
def replaced(owner: Any, **names: Any) -> Iterator[None]:
    """Inside, these attributes of a module or class are replaced. AttributeError when one does not exist."""
    before: Mapping[str, Any] = {name: getattr(owner, name) for name in names}
    for name, value in names.items():
        setattr(owner, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(owner, name, value)


@contextmanager
def replaced_items(mapping: MutableMapping[str, Any], **items: Any) -> Iterator[None]:
    """Inside, these items of a dict are replaced. KeyError when one does not exist."""
    before = {name: mapping[name] for name in items}
    mapping.update(items)
    try:
        yield
    finally:
        mapping.update(before)
