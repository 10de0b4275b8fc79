"""What is wrong with the names in a page's address: a filter that there is not, or one that comes twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping

from starlette.datastructures import QueryParams

SHOWN = 40
"""Characters of a name that is not known."""


def address_errors(parameters: QueryParams, filters: Collection[str], beside: Collection[str]) -> Mapping[str, str]:
    """By name, in one line. Such a filter must not be passed over: the page would show what it leaves out.

    `beside`: names that an address of the page holds, and that are no filters.
    """
    names = Counter(name for name, _ in parameters.multi_items())
    allowed = {*filters, *beside}
    known = ", ".join(sorted(name for name in filters if "." not in name))
    unknown = {name[:SHOWN]: f"there is no such filter: allowed are {known}" for name in names if name not in allowed}
    twice = {
        name: f"it is in the address {count} times: once is allowed"
        for name, count in names.items()
        if count > 1 and name in allowed
    }
    return {**unknown, **twice}
