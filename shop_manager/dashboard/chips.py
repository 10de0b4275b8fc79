"""The filters in force as chips that are taken away one by one, and those that are added with one click."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from shop_manager.dashboard.query_parameters import MOMENTS, ClerkQuery, address
from shop_manager.operations.moments import age_of, wire_moment

NAMES = {"updated_since": "changed since", "created_after": "opened after", "created_before": "opened before"}
QUICK = (("stuck", "yes", "stuck"), ("mine", "yes", "mine"), ("updated_since", "1h", "changed in the last hour"))
"""Name, value, words."""


class Chip(NamedTuple):
    """One filter: its name, the value as it was given, what is said after it, and the list's address without it.

    `at`: the moment (ms) that the value is, which each reads in their own time.
    """

    name: str
    value: str
    after: str
    address: str
    at: int | None


def chips_of(query: ClerkQuery, path: str) -> list[Chip]:
    return [
        Chip(
            NAMES.get(name, name.replace("_", " ")),
            value,
            _after(name, value),
            address(path, query.values, **{name: ""}),
            wire_moment(value) if name in MOMENTS else None,
        )
        for name, value in query.filters.items()
    ]


def quick_filters(query: ClerkQuery, path: str) -> Mapping[str, str]:
    """By their words, the addresses of the list with one more filter."""
    return {
        words: address(path, query.values, **{name: value}) for name, value, words in QUICK if name not in query.values
    }


def _after(name: str, value: str) -> str:
    return " ago" if name == "updated_since" and age_of(value) is not None else ""
