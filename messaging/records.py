"""Records, which are flat dataclasses, as rows. `dataclasses.asdict` copies every value too, at ten times the cost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def as_row(record: DataclassInstance) -> dict[str, Any]:
    """Its fields by name; it has two at least."""
    names, values_of = _fields_of(type(record))
    return dict(zip(names, values_of(record), strict=True))


@cache
def _fields_of(kind: type[DataclassInstance]) -> tuple[tuple[str, ...], Callable[[Any], tuple[Any, ...]]]:
    names = tuple(field.name for field in fields(kind))
    return names, attrgetter(*names)
