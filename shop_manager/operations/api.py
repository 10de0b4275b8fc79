"""The HTTP routes `GET /ops/…`: what is stuck and why, lists, one Clerk, parked messages, figures, the audit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse

from http_api.conventions import Id, etag, not_modified
from http_api.held_calls import EventStream
from http_api.principals import Principal, go_on_check, identify, require_operator
from http_api.routes import Routes
from shop_manager.operations import answers, answers_records
from shop_manager.operations.ages import MOMENT_SAYS, SINCE_SAYS, Times, read_times
from shop_manager.operations.answers_figures import READ_FIGURES
from shop_manager.operations.answers_search import SEARCH
from shop_manager.operations.claim_rows import key_of
from shop_manager.operations.export import PAGE, NextPage, as_csv, as_json_lines
from shop_manager.operations.facade import Operations
from shop_manager.operations.figures import LONGEST
from shop_manager.operations.parked_reads import ParkedState
from shop_manager.operations.search import MOST
from shop_manager.saga.state import StuckKind
from shop_manager.sessions.api import as_json
from shop_manager.sessions.listing import Filter
from shop_manager.sessions.view import PublicStatus

Sort = Literal["-created_at", "created_at", "-stuck_since", "stuck_since", "-next_wake_at", "next_wake_at"]
Cursor = Annotated[str | None, Query(max_length=1000)]
PageSize = Annotated[int, Query(ge=1, le=200)]
NameFilter = Annotated[str | None, Query(min_length=1, max_length=200)]
Age = Annotated[str | None, Query(description="age: seconds, or with a unit: 90s, 15m, 2h, 1d")]
Since = Annotated[str | None, Query(max_length=40, description=SINCE_SAYS)]
When = Annotated[str | None, Query(max_length=40, description=MOMENT_SAYS)]


Viewer = Annotated[Principal, Depends(require_operator("viewer"))]


def ops_router(operations: Operations) -> APIRouter:
    """`GET /ops/…`, for every operator."""
    router = Routes(prefix="/ops", tags=["operators"], dependencies=[Depends(require_operator("viewer"))])
    of_clerks = (_add_clerks, _add_exports, _add_one_clerk)
    for add in (_add_home, _add_search, *of_clerks, _add_parked, _add_processes, _add_records):
        add(router, operations)
    return router


def wanted_clerks(
    *,
    stuck: bool | None = None,
    kind: StuckKind | None = None,
    code: NameFilter = None,
    status: PublicStatus | None = None,
    step: NameFilter = None,
    process: NameFilter = None,
    shop: Id | None = None,
    customer: Id | None = None,
    client_reference: NameFilter = None,
    mine: Annotated[bool | None, Query(description="those that you have claimed, or all others")] = None,
    who: Viewer,
) -> Filter:
    """The filter in a query: a dependency of every route that lists Clerks."""
    found = Filter(status, stuck, kind, code, step, process, shop, customer, client_reference)
    return replace(found, mine=mine, operator=key_of(who))


Wanted = Annotated[Filter, Depends(wanted_clerks)]


def wanted_times(
    *, older_than: Age = None, updated_since: Since = None, created_after: When = None, created_before: When = None
) -> Times:
    """What is asked of their times, as a dependency of the same routes."""
    return read_times(older_than, updated_since, created_after, created_before)


OfTimes = Annotated[Times, Depends(wanted_times)]


def _add_home(router: APIRouter, operations: Operations) -> None:
    @router.get("/summary", **answers.READ_SUMMARY)
    def read_summary() -> Response:
        """Is anything stuck? Counts by status, stuck by cause with the money at risk, parked messages."""
        return as_json(operations.reads.summary())

    @router.get("/figures", **READ_FIGURES)
    def read_figures(hours: Annotated[int, Query(ge=1, le=LONGEST)] = 24) -> Response:
        """Opens and ends, the way through the steps, and how long steps take."""
        return as_json(operations.reads.figures(hours))

    @router.get("/events", response_class=StreamingResponse, **answers.FOLLOW_CHANGES)
    async def follow_changes(who: Viewer, request: Request) -> Response:
        """That something has changed, as server-sent events: the counters and ids of Clerks, at once and then again."""
        notifier = operations.notifier
        return EventStream(notifier.place(who), lambda _: notifier.follow(), may_go_on=go_on_check(request, who))

    @router.get("/checks", **answers.READ_CHECKS)
    def read_checks() -> Response:
        """What `clerk verify` has found last: every invariant that did not hold, with its repair."""
        return as_json(operations.reads.checks())


def _add_search(router: APIRouter, operations: Operations) -> None:
    @router.get("/search", **SEARCH)
    def search_everything(
        q: Annotated[str, Query(min_length=1, max_length=200)], limit: Annotated[int, Query(ge=1, le=MOST)] = 10
    ) -> Response:
        """Clerks, customers, parked messages and operators by ids, references, names, articles; case does not matter.

        Names and e-mail addresses are found as a whole, everything else by its beginning too.
        """
        return as_json(operations.reads.search(q, limit))


def _add_clerks(router: APIRouter, operations: Operations) -> None:
    @router.get("/clerks", **answers.LIST_CLERKS)
    def list_clerks(
        *, wanted: Wanted, times: OfTimes, sort: Sort = "-created_at", cursor: Cursor = None, limit: PageSize = 50
    ) -> Response:
        """Clerks by any of these. Those sorted by `stuck_since` are stuck, those by `next_wake_at` have not ended."""
        return as_json(operations.reads.clerks(wanted, times=times, sort=sort, limit=limit, cursor=cursor))


def _add_exports(router: APIRouter, operations: Operations) -> None:
    @router.get("/clerks.csv", response_class=StreamingResponse, **answers.EXPORT_CSV)
    def export_clerks_csv(*, request: Request, wanted: Wanted, times: OfTimes, sort: Sort = "-created_at") -> Response:
        """The list as a table for a spreadsheet: of the same filter, all of it."""
        return _file("text/csv; charset=utf-8", "clerks.csv", as_csv(pages(request, wanted, times, sort)))

    @router.get("/clerks.json", **answers.EXPORT_JSON)
    def export_clerks_json(*, request: Request, wanted: Wanted, times: OfTimes, sort: Sort = "-created_at") -> Response:
        """The list as one file: of the same filter, all of it; one that breaks off has no end."""
        return _file("application/json", "clerks.json", as_json_lines(pages(request, wanted, times, sort)))

    def pages(request: Request, wanted: Filter, times: Times, sort: str) -> NextPage:
        next_page = operations.reads.every_page(wanted, times=times, sort=sort, limit=PAGE)

        def page_at(cursor: str | None) -> Mapping[str, Any]:
            identify(request)  # whoever reads slowly gets no further page once the key has ended
            return next_page(cursor)

        return page_at


def _add_one_clerk(router: APIRouter, operations: Operations) -> None:
    reads = operations.reads

    @router.get("/clerks/{clerk}", **answers.READ_CLERK)
    def read_clerk(clerk: Id, request: Request) -> Response:
        """One Clerk: its headline, whose move it is, what comes by itself, its acts, its whole document."""
        found = reads.clerk(clerk)
        headers = {"ETag": etag(found["version"])}
        if not_modified(request, found["version"]):
            return Response(status_code=304, headers=headers)
        return as_json(found, 200, headers)

    @router.get("/clerks/{clerk}/timeline", **answers.READ_TIMELINE)
    def read_timeline(clerk: Id, cursor: Cursor = None, limit: PageSize = 200) -> Response:
        """All that happened, in order, with what each step changed; ignored replies among it, each with the reason."""
        return as_json(reads.timeline(clerk, limit=limit, cursor=cursor))

    @router.get("/clerks/{clerk}/messages", **answers.LIST_MESSAGES)
    def list_messages(clerk: Id, cursor: Cursor = None, limit: PageSize = 200) -> Response:
        """Its commands and replies, and what became of them."""
        return as_json(reads.messages(clerk, limit=limit, cursor=cursor))


def _add_parked(router: APIRouter, operations: Operations) -> None:
    @router.get("/parked", **answers_records.LIST_PARKED)
    def list_parked(
        state: ParkedState | None = None, service: NameFilter = None, cursor: Cursor = None, limit: PageSize = 50
    ) -> Response:
        """Messages that were given up on for now, of all services, the latest first."""
        return as_json(operations.reads.parked(state=state, service=service, limit=limit, cursor=cursor))

    @router.get("/parked/causes", **answers_records.LIST_PARKED_CAUSES)
    def list_parked_causes() -> Response:
        """Those that wait for a decision, by cause: a bulk act takes `service` and `parked_reason` as its filter."""
        return as_json(operations.reads.parked_causes())

    @router.get("/parked/{parked}", **answers_records.READ_PARKED)
    def read_parked(parked: Id) -> Response:
        """One of them, with all of its body that was kept."""
        found = operations.reads.parked_one(parked)
        return as_json(found, 200, {"ETag": etag(found["version"])})


def _add_processes(router: APIRouter, operations: Operations) -> None:
    @router.get("/processes", **answers_records.LIST_PROCESSES)
    def list_processes() -> Response:
        """Every process and version, with how many live Clerks stand at each step."""
        return as_json({"data": operations.reads.processes(), "has_more": False, "next_cursor": None})

    @router.get("/processes/chosen", **answers_records.READ_CHOSEN_PROCESS)
    def read_chosen_process(shop: Id, customer: Id | None = None) -> Response:
        """Which process would this customer get in this shop? Without a customer: a guest."""
        return as_json(operations.reads.chosen(customer, shop))


def _add_records(router: APIRouter, operations: Operations) -> None:
    @router.get("/audit", **answers_records.LIST_AUDIT)
    def list_audit(
        *, who: NameFilter = None, action: NameFilter = None, target: NameFilter = None, outcome: NameFilter = None,
        bulk: NameFilter = None, cursor: Cursor = None, limit: PageSize = 50,
    ) -> Response:  # fmt: skip
        """Who did what, when, why, before and after; refused attempts too, the latest first.

        A bulk act is one line with its `items`; the lines within it are listed by `bulk`, `target` or `action`.
        """
        wanted = {"who": who, "action": action, "target": target, "outcome": outcome, "bulk": bulk}
        return as_json(operations.reads.audit(wanted, limit=limit, cursor=cursor))


def _file(kind: str, name: str, content: Iterator[bytes]) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(content, media_type=kind, headers=headers)
