"""What a page's address asks for: the values that are valid, and what is wrong with the others.

A filter that there is not, or one that comes twice, must not be passed over: the page would show what it leaves out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from starlette.datastructures import QueryParams

SHOWN = 40
"""Characters of a name that is not known."""


@dataclass(frozen=True)
class AddressQuery:
    """`values` are the valid parameters that were given, as texts; `errors` says of the others what is wrong.

    `wrong`: the texts that `errors` are about, of those that stand in a field of the page.
    """

    values: Mapping[str, str]
    errors: Mapping[str, str] = field(default_factory=dict)
    wrong: Mapping[str, str] = field(default_factory=dict)

    @property
    def in_the_address(self) -> dict[str, str]:
        """The errors that no field of the page shows."""
        return {name: error for name, error in self.errors.items() if name not in self.wrong}


QueryT = TypeVar("QueryT", bound=AddressQuery)


def checked(query: QueryT, parameters: QueryParams, filters: Collection[str], beside: Collection[str]) -> QueryT:
    """The query with what is wrong with the names in its address; `beside` as for `address_errors`."""
    of_address = address_errors(parameters, filters, beside)
    return replace(query, errors={**of_address, **query.errors}) if of_address else query


def address_errors(parameters: QueryParams, filters: Collection[str], beside: Collection[str]) -> Mapping[str, str]:
    """By name, in one line. `beside`: names that an address of the page holds, and that are no filters."""
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
