"""What a wrong build is: production code with one deliberate fault, put in from outside for as long as it is tried."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

Patch = Callable[[], AbstractContextManager[None]]


@dataclass(frozen=True)
class WrongBuild:
    """`wrong`: what it does, in one line. `invariants`: by which it must be found out, within so many seeds."""

    name: str
    wrong: str
    invariants: frozenset[str]
    within: int
    patched: Patch


@contextmanager
def replaced(owner: Any, **names: Any) -> Iterator[None]:
    """Inside, these attributes of a module or class are others. Each must be there already."""
    before: Mapping[str, Any] = {name: getattr(owner, name) for name in names}
    for name, value in names.items():
        setattr(owner, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(owner, name, value)
