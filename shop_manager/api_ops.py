"""The doors of operators, reading only (dashboard.md): summary, Clerks, one Clerk, its timeline, parked messages."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response

from doors.answers import Id, decode_cursor, encode_cursor, etag, not_modified, page
from doors.callers import require_operator
from doors.problems import invalid, not_found
from shop_manager import store
from shop_manager.api_sessions import as_json
from shop_manager.listing import ORDERS, Filter, page_of
from shop_manager.ops_clerk import clerk_detail, timeline
from shop_manager.ops_reads import parked_line, parked_lines, read_lines, summary
from shop_manager.public import PublicStatus, steps_of
from shop_manager.saga import StuckKind
from shop_manager.sessions import Sessions

Sort = Literal["-created_at", "created_at", "-stuck_since", "stuck_since", "-next_wake_at", "next_wake_at"]
Cursor = Annotated[str | None, Query(max_length=1000)]
Limit = Annotated[int, Query(ge=1, le=200)]
Name = Annotated[str | None, Query(min_length=1, max_length=200)]
_AGE = re.compile(r"([0-9]{1,9})([smhd]?)")
_UNIT_MS = {"": 1_000, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def ops_router(sessions: Sessions) -> APIRouter:
    """`/ops/…`, for every operator."""
    router = APIRouter(prefix="/ops", tags=["operators"], dependencies=[Depends(require_operator("viewer"))])
    database, catalogue = sessions.manager.database, sessions.manager.catalogue

    @router.get("/summary")
    def read_summary() -> Response:
        """Is anything stuck? Counts by status, stuck by cause with the money at risk, parked messages."""
        with database.read() as tx:
            return as_json(summary(tx, catalogue, sessions.first_steps, tx.now()))

    @router.get("/clerks")
    def list_clerks(
        *,
        stuck: bool | None = None,
        kind: StuckKind | None = None,
        status: PublicStatus | None = None,
        step: Name = None,
        process: Name = None,
        shop: Id | None = None,
        customer: Id | None = None,
        client_reference: Name = None,
        older_than: Annotated[str | None, Query(description="age: seconds, or with a unit: 90s, 15m, 2h, 1d")] = None,
        sort: Sort = "-created_at",
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Response:
        """Clerks by any of these. Those sorted by `stuck_since` are stuck, those by `next_wake_at` have not ended."""
        with database.read() as tx:
            wanted = Filter(
                status, stuck, kind, step, process, shop, customer, client_reference,
                created_before=None if older_than is None else tx.now() - age("older_than", older_than),
            )  # fmt: skip
            ids, following = page_of(
                tx, wanted, ORDERS[sort], limit=limit, cursor=cursor, first_steps=sessions.first_steps
            )
            lines = read_lines(tx, ids, sessions.first_steps)
        return as_json(page(lines, limit, following))

    @router.get("/clerks/{clerk}")
    def read_clerk(clerk: Id, request: Request) -> Response:
        """One Clerk: where it stands, its question, its deadlines with what happens then, its whole document."""
        saga = sessions.reread(clerk)
        headers = {"ETag": etag(saga.version)}
        if not_modified(request, saga.version):
            return Response(status_code=304, headers=headers)
        process = catalogue.by_reference.get(saga.process)
        detail = clerk_detail(saga, process, steps_of(catalogue, saga), sessions.first_steps)
        return as_json(detail, 200, headers)

    @router.get("/clerks/{clerk}/timeline")
    def read_timeline(clerk: Id, cursor: Cursor = None, limit: Limit = 200) -> Response:
        """All that happened, in order, the replies that were ignored among it, each with the reason."""
        start = decode_cursor(cursor, (int,))[0] if cursor else 0
        with database.read() as tx:
            history, ignored = store.read_history(tx, clerk), store.read_ignored(tx, clerk)
        if not history:
            raise not_found()
        lines = timeline(history, ignored)
        end = max(0, start) + limit
        following = encode_cursor((end,)) if end < len(lines) else None
        return as_json(page(lines[max(0, start) : end], limit, following))

    @router.get("/parked")
    def list_parked(cursor: Cursor = None, limit: Limit = 50) -> Response:
        """Messages that were given up on for now, of all services, the latest first."""
        before = decode_cursor(cursor, (int, str)) if cursor else None
        with database.read() as tx:
            rows = parked_lines(tx, limit + 1, before and (before[0], before[1]))
        shown = rows[:limit]
        following = encode_cursor((shown[-1]["first_at"], shown[-1]["id"])) if len(rows) > limit else None
        return as_json(page([parked_line(row) for row in shown], limit, following))

    return router


def age(name: str, text: str) -> int:
    """`15m` → 900,000 ms; Problem 422 names the parameter."""
    match = _AGE.fullmatch(text)
    if match is None:
        raise invalid(name, "seconds are needed, or a number with a unit: 90s, 15m, 2h, 1d")
    return int(match.group(1)) * _UNIT_MS[match.group(2)]
