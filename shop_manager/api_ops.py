"""The doors of operators, reading (dashboard.md): what is stuck and why, lists, one Clerk, parked messages, figures."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse

from doors.answers import Id, etag, not_modified
from doors.callers import require_operator
from doors.problems import invalid
from shop_manager.api_sessions import as_json
from shop_manager.listing import Filter
from shop_manager.operations import Operations
from shop_manager.operations.export import PAGE, NextPage, as_csv, as_json_lines
from shop_manager.operations.figures import LONGEST
from shop_manager.parked_reads import ParkedState
from shop_manager.public import PublicStatus
from shop_manager.saga import StuckKind

Sort = Literal["-created_at", "created_at", "-stuck_since", "stuck_since", "-next_wake_at", "next_wake_at"]
Cursor = Annotated[str | None, Query(max_length=1000)]
Limit = Annotated[int, Query(ge=1, le=200)]
Name = Annotated[str | None, Query(min_length=1, max_length=200)]
Age = Annotated[str | None, Query(description="age: seconds, or with a unit: 90s, 15m, 2h, 1d")]
EVENTS: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {}}, "description": "the counters, again after each change"}
}
CSV: dict[int | str, dict[str, Any]] = {200: {"content": {"text/csv": {}}, "description": "a table"}}
_AGE = re.compile(r"([0-9]{1,9})([smhd]?)")
_UNIT_MS = {"": 1_000, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def ops_router(operations: Operations) -> APIRouter:
    """`GET /ops/…`, for every operator."""
    router = APIRouter(prefix="/ops", tags=["operators"], dependencies=[Depends(require_operator("viewer"))])
    for add in (_add_home, _add_clerks, _add_parked, _add_processes, _add_records):
        add(router, operations)
    return router


def wanted_clerks(
    *,
    stuck: bool | None = None,
    kind: StuckKind | None = None,
    code: Name = None,
    status: PublicStatus | None = None,
    step: Name = None,
    process: Name = None,
    shop: Id | None = None,
    customer: Id | None = None,
    client_reference: Name = None,
) -> Filter:
    """The filter in a query: a dependency of every route that lists Clerks."""
    return Filter(status, stuck, kind, code, step, process, shop, customer, client_reference)


Wanted = Annotated[Filter, Depends(wanted_clerks)]


def _add_home(router: APIRouter, operations: Operations) -> None:
    @router.get("/summary")
    def read_summary() -> Response:
        """Is anything stuck? Counts by status, stuck by cause with the money at risk, parked messages."""
        return as_json(operations.reads.summary())

    @router.get("/figures")
    def read_figures(hours: Annotated[int, Query(ge=1, le=LONGEST)] = 24) -> Response:
        """Opens and ends, the way through the steps, and how long steps take."""
        return as_json(operations.reads.figures(hours))

    @router.get("/events", response_class=StreamingResponse, responses=EVENTS)
    async def follow_news() -> Response:
        """That something has changed, as server-sent events: the counters and ids of Clerks, at once and then again."""
        operations.news.check_room()
        headers = {"X-Accel-Buffering": "no"}
        return StreamingResponse(operations.news.follow(), media_type="text/event-stream", headers=headers)

    @router.get("/checks")
    def read_checks() -> Response:
        """What `clerk verify` has found last: every invariant that did not hold, with its repair."""
        return as_json(operations.reads.checks())


def _add_clerks(router: APIRouter, operations: Operations) -> None:
    reads = operations.reads

    @router.get("/clerks")
    def list_clerks(
        *, wanted: Wanted, older_than: Age = None, sort: Sort = "-created_at", cursor: Cursor = None, limit: Limit = 50
    ) -> Response:
        """Clerks by any of these. Those sorted by `stuck_since` are stuck, those by `next_wake_at` have not ended."""
        return as_json(reads.clerks(wanted, older_than=age_of(older_than), sort=sort, limit=limit, cursor=cursor))

    @router.get("/clerks.csv", response_class=StreamingResponse, responses=CSV)
    def export_csv(*, wanted: Wanted, older_than: Age = None, sort: Sort = "-created_at") -> Response:
        """The list as a table for a spreadsheet: of the same filter, at most 10,000 lines."""
        return _file("text/csv; charset=utf-8", "clerks.csv", as_csv(pages(wanted, older_than, sort)))

    @router.get("/clerks.json")
    def export_json(*, wanted: Wanted, older_than: Age = None, sort: Sort = "-created_at") -> Response:
        """The list as one file: of the same filter, at most 10,000 lines."""
        return _file("application/json", "clerks.json", as_json_lines(pages(wanted, older_than, sort)))

    def pages(wanted: Filter, older_than: str | None, sort: str) -> NextPage:
        age = age_of(older_than)
        return lambda cursor: reads.clerks(wanted, older_than=age, sort=sort, limit=PAGE, cursor=cursor)

    @router.get("/clerks/{clerk}")
    def read_clerk(clerk: Id, request: Request) -> Response:
        """One Clerk: its headline, whose move it is, what comes by itself, its acts, its whole document."""
        found = reads.clerk(clerk)
        headers = {"ETag": etag(found["version"])}
        if not_modified(request, found["version"]):
            return Response(status_code=304, headers=headers)
        return as_json(found, 200, headers)

    @router.get("/clerks/{clerk}/timeline")
    def read_timeline(clerk: Id, cursor: Cursor = None, limit: Limit = 200) -> Response:
        """All that happened, in order, with what each step changed; ignored replies among it, each with the reason."""
        return as_json(reads.timeline(clerk, limit=limit, cursor=cursor))

    @router.get("/clerks/{clerk}/messages")
    def read_messages(clerk: Id, cursor: Cursor = None, limit: Limit = 200) -> Response:
        """Its commands and replies, and what became of them."""
        return as_json(reads.messages(clerk, limit=limit, cursor=cursor))


def _add_parked(router: APIRouter, operations: Operations) -> None:
    @router.get("/parked")
    def list_parked(
        state: ParkedState | None = None, service: Name = None, cursor: Cursor = None, limit: Limit = 50
    ) -> Response:
        """Messages that were given up on for now, of all services, the latest first."""
        return as_json(operations.reads.parked(state=state, service=service, limit=limit, cursor=cursor))

    @router.get("/parked/{parked}")
    def read_parked(parked: Id) -> Response:
        """One of them, with all of its body that was kept."""
        found = operations.reads.parked_one(parked)
        return as_json(found, 200, {"ETag": etag(found["version"])})


def _add_processes(router: APIRouter, operations: Operations) -> None:
    @router.get("/processes")
    def list_processes() -> Response:
        """Every process and version, with how many live Clerks stand at each step."""
        return as_json({"data": operations.reads.processes(), "has_more": False, "next_cursor": None})

    @router.get("/processes/chosen")
    def read_chosen(shop: Id, customer: Id | None = None) -> Response:
        """Which process would this customer get in this shop? Without a customer: a guest."""
        return as_json(operations.reads.chosen(customer, shop))


def _add_records(router: APIRouter, operations: Operations) -> None:
    @router.get("/audit")
    def list_audit(
        *, who: Name = None, action: Name = None, target: Name = None, outcome: Name = None, cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Response:  # fmt: skip
        """Who did what, when, why, before and after; refused attempts too, the latest first."""
        wanted = {"who": who, "action": action, "target": target, "outcome": outcome}
        return as_json(operations.reads.audit(wanted, limit=limit, cursor=cursor))


def _file(kind: str, name: str, content: Iterator[bytes]) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(content, media_type=kind, headers=headers)


def age_of(text: str | None) -> int | None:
    """`15m` → 900,000 ms; Problem 422 names the parameter `older_than`."""
    if text is None:
        return None
    match = _AGE.fullmatch(text)
    if match is None:
        raise invalid("older_than", "seconds are needed, or a number with a unit: 90s, 15m, 2h, 1d")
    return int(match.group(1)) * _UNIT_MS[match.group(2)]
