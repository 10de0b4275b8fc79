"""The HTTP routes `GET /ops/activity…`: what happened, the latest first, and the last hour against the one before."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field

from domain.times import from_wire
from http_api.answers import Answer, Moment, Page
from http_api.documented import documented
from http_api.principals import require_operator
from http_api.problems import invalid
from http_api.routes import Routes
from shop_manager.operations.activity import ActivityFilter, ActivityKind
from shop_manager.operations.answers import Count
from shop_manager.operations.api import Cursor, NameFilter, PageSize
from shop_manager.operations.facade import Operations
from shop_manager.saga.state import StuckKind
from shop_manager.sessions.answers import StepName
from shop_manager.sessions.api import as_json

When = Annotated[str | None, Query(max_length=40, description="an RFC 3339 time", examples=["2026-11-25T03:00:00Z"])]


class ActivityBulk(Answer):
    """The bulk act that a line tells of, as it is now."""

    id: str
    action: str
    status: str


class ActivityLine(Answer):
    """One thing that happened; what it has nothing to do with is null."""

    number: int
    at: Moment
    kind: ActivityKind
    what: Annotated[
        str,
        Field(
            description="of `stuck` the cause; of `healed` what made it go on: `by_itself`, `retry`, `replay`, `undo`, "
            "`extend`, `settle` (by `who`) or `canceled`; of `act` the action; `parked`, `replayed` or `discarded`; of "
            "`deploy` `version` (`detail` names it) or `process`; of `outage` `began` or `ended`"
        ),
    ]
    clerk: str | None
    process: str | None
    step: StepName | None
    service: str | None
    cause: StuckKind | None
    code: str | None
    who: str | None
    target: Annotated[str | None, Field(description="of acts, as in the audit; of one parked message `parked:ID`")]
    detail: str
    count: Annotated[int, Field(ge=1, description="how many messages, or items of a bulk act")]
    began_at: Annotated[Moment | None, Field(description="of what is over: since when it was so")]
    bulk: ActivityBulk | None
    last_seen_at: Annotated[Moment | None, Field(description="of versions and processes: when it was at work last")]


class ComparedKind(Answer):
    """How often something happened in the last hour and in the one before."""

    kind: ActivityKind
    what: Annotated[str | None, Field(description="null: all of the kind")]
    last_hour: Count
    hour_before: Count
    difference: int


class ComparedHours(Answer):
    """`since` is when the last hour began, `before` when the one before did."""

    now: Moment
    since: Moment
    before: Moment
    kinds: list[ComparedKind]


LIST_ACTIVITY = documented(Page[ActivityLine], says="A page of what happened.")
COMPARE_HOURS = documented(ComparedHours, says="The counts.")


def wanted_activity(
    *, kind: ActivityKind | None = None, service: NameFilter = None, step: NameFilter = None,
    cause: StuckKind | None = None, code: NameFilter = None, who: NameFilter = None, process: NameFilter = None,
) -> ActivityFilter:  # fmt: skip
    """The filter in a query, without the time."""
    return ActivityFilter(kind, service, step, cause, code, who, process)


Wanted = Annotated[ActivityFilter, Depends(wanted_activity)]


def ops_activity_router(operations: Operations) -> APIRouter:
    router = Routes(prefix="/ops", tags=["operators"], dependencies=[Depends(require_operator("viewer"))])
    reads = operations.reads

    @router.get("/activity", **LIST_ACTIVITY)
    def list_activity(
        wanted: Wanted, since: When = None, until: When = None, cursor: Cursor = None, limit: PageSize = 50
    ) -> Response:
        """What happened, the latest first: what became stuck or went on, acts, parked messages, versions, outages.

        From `since` on (90 days back unless it is given) and before `until`.
        """
        timed = replace(wanted, since=_moment("since", since), until=_moment("until", until))
        return as_json(reads.activity(timed, limit=limit, cursor=cursor))

    @router.get("/activity/hours", **COMPARE_HOURS)
    def compare_hours(wanted: Wanted) -> Response:
        """The last hour against the hour before: how often each kind of it happened."""
        return as_json(reads.compared_hours(wanted))

    return router


def _moment(name: str, given: str | None) -> int | None:
    try:
        return None if given is None else from_wire(given)
    except ValueError:
        raise invalid(name, "an RFC 3339 time with its offset is needed, such as 2026-11-25T03:00:00Z") from None
