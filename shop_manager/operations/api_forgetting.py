"""The HTTP route `POST /ops/forget`: who asks to be forgotten is taken out of the orders that have ended."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from pydantic import Field

from http_api.answers import Answer
from http_api.documented import documented
from http_api.problems import Problem
from http_api.routes import Routes
from shop_manager.operations.api_acts import Who
from shop_manager.operations.facade import Operations
from shop_manager.operations.forgetting import ForgetAsk
from shop_manager.sessions.api import as_json

PATH = "/ops/forget"


class Forgotten(Answer):
    """Who was forgotten. What was erased before counts no more in `erased`."""

    customers: list[str]
    orders: list[str]
    erased: Annotated[int, Field(description="orders in which something was erased now")]
    audit_lines: Annotated[int, Field(description="lines of the audit about these orders, which nobody can change")]
    kept: Annotated[dict[str, str], Field(description="what is still known, by service")]


FORGET = documented(Forgotten, says="What was erased, and what is kept.", problems=["not_allowed_now"], role="admin")


def ops_forgetting_router(operations: Operations) -> APIRouter:
    router = Routes(tags=["operators"])

    def may(who: Who) -> None:
        operations.forgetting.require(who)

    @router.post(PATH, **FORGET, dependencies=[Depends(may)])
    def forget_customer(who: Who, body: ForgetAsk) -> Response:
        """Name, e-mail, address, metadata and notes are taken out of the orders that have ended, and of the search.

        Nothing is done while an order of theirs is under way: 409 names which. Again is the same answer. Amounts,
        articles and times stay, and so does what `kept` names.
        """
        found = operations.forgetting.forget(who, body)
        if isinstance(found, dict):
            return as_json(found)
        raise Problem(found.code, found.detail)

    return router
