"""The models of what the search answers, and what its route says in the OpenAPI document (http_api/documented.py)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from http_api.answers import Answer
from http_api.documented import documented
from shop_manager.operations.answers import ClerkLine
from shop_manager.operations.search import HitKind, HitType
from shop_manager.sessions.repository import CustomerType


class FoundCustomer(Answer):
    """A customer whom the shop knows."""

    id: str
    name: str
    type: CustomerType


class FoundOne(Answer):
    """One thing that was found."""

    type: HitType
    id: str


class Hit(FoundOne):
    """One thing that was found, with its line when it is a Clerk, and its name when it is a customer."""

    clerk: ClerkLine | None
    customer: FoundCustomer | None


class HitGroup(Answer):
    """What was found by one kind of term."""

    kind: Annotated[HitKind, Field(description="by what it was found")]
    more: Annotated[bool, Field(description="there are more of this kind")]
    hits: list[Hit]


class Found(Answer):
    """All that fits, by kind."""

    query: str
    only: Annotated[FoundOne | None, Field(description="what was found, when it is one thing")]
    groups: list[HitGroup]


SEARCH = documented(Found, says="What fits, by kind.")
