"""Live updates of open pages by server-sent events: the status banner, and what each page adds for itself.

An event holds `<hx-partial>` elements only: each names the element whose content it replaces.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncGenerator, Callable, Iterable
from typing import Any, NamedTuple

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool

from http_api.held_calls import EventStream
from http_api.places import ALL, Bound, Places
from http_api.public_address import public_address
from messaging.database_errors import DATABASE_ERRORS
from shop_manager.dashboard.layout import ENVIRONMENT, HEADERS, Layout, login_of, with_prefix

LOOK_EVERY = 2.0
"""Seconds between two looks at the database."""
TELL_EVERY = 10.0
"""Seconds after which an event is sent although nothing has changed: it has the new time of the look."""
LONGEST = 3600.0
"""Seconds after which a stream ends; the page then opens another one."""
NOTICE_EVERY = 0.5
"""Seconds within which a stream notices that the process ends."""
MOST = 100
"""Streams of one process at a time. A page that gets none does not change by itself."""
OF_OPERATOR = 20
PageUpdates = Callable[[Request], str]
"""A page's own `<hx-partial>` elements for the request of a stream, or `""`. Called in a thread for every look."""
_LINE_ENDS = re.compile(r"\r\n|\r|\n")
_PARTIAL = re.compile(r'<hx-partial hx-target="#(?P<target>[\w-]+)".*?</hx-partial>', re.DOTALL)
_TIME = re.compile(r"<time .*?</time>", re.DOTALL)
log = structlog.get_logger()


class Look(NamedTuple):
    """`banner` with the time of the look; `parts` are the page's own, by the element that each replaces."""

    state: str
    banner: str
    parts: dict[str, str]

    def event(self, told: dict[str, str]) -> str:
        """The banner and the parts that differ from what was `told` (their marks), which are told from now on."""
        new = {target: part for target, part in self.parts.items() if told.get(target) != _mark(part)}
        told |= {target: _mark(part) for target, part in new.items()}
        return self.banner + "".join(new.values())


class LiveUpdates:
    """The streams of this process, each with one of the `places`.

    `pages` holds the pages' own updates, by the name that a page sends as `of`.
    """

    def __init__(
        self,
        layout: Layout,
        read_banner: Callable[[], dict[str, Any]],
        is_closing: Callable[[], bool],
        places: Places,
    ) -> None:
        self.pages: dict[str, PageUpdates] = {}
        self._layout = layout
        self._read_banner = read_banner
        self._is_closing = is_closing
        self._places = places

    def add_route(self, router: APIRouter) -> None:
        router.add_api_route("/live", self.stream, methods=["GET"])

    def stream(self, request: Request) -> Response:
        operator = login_of(request).operator
        places = [
            Bound(f"operator {operator}", OF_OPERATOR, f"{OF_OPERATOR} of your pages are open."),
            Bound(ALL, MOST, "Too many pages are open.", "overloaded"),
        ]
        return EventStream(self._places.held(places), lambda _: self._events(request), HEADERS)

    async def _events(self, request: Request) -> AsyncGenerator[bytes, None]:
        clock = asyncio.get_running_loop().time
        until, sent_at, sent = clock() + LONGEST, float("-inf"), ""
        told = _told_to(request)
        yield b": here we are\n\n"
        while clock() < until and not self._is_closing() and not await request.is_disconnected():
            look = await run_in_threadpool(self._look, request)
            if look is None:
                return
            if look.state != sent or clock() - sent_at >= TELL_EVERY:
                sent_at, sent = clock(), look.state
                yield as_event(look.event(told))
            await self._pause(clock)

    async def _pause(self, clock: Callable[[], float]) -> None:
        """Until the next look; cut short when the process ends, which waits a second for its streams."""
        until = clock() + LOOK_EVERY
        while clock() < until and not self._is_closing():
            await asyncio.sleep(min(NOTICE_EVERY, until - clock()))

    def _look(self, request: Request) -> Look | None:
        """None ends the stream: the login has ended, or the database cannot be reached."""
        try:
            if self._layout.logins.find(login_of(request).token, used=False) is None:
                return None
            updates_of = self.pages.get(request.query_params.get("of", ""))
            with self._layout.database.one_moment():
                banner = self._read_banner()
                updates = updates_of(request) if updates_of else ""
        except DATABASE_ERRORS as error:
            log.warning("live_ends", trouble=type(error).__name__)
            return None
        content = ENVIRONMENT.get_template("status_banner.html").render(banner=banner)
        state = f"{banner['count']} {banner['money_at_risk']} {banner['money_to_settle']} {updates}"
        public = public_address(request.scope)
        parts = {found["target"]: with_prefix(found[0], public) for found in _PARTIAL.finditer(updates)}
        return Look(state, with_prefix(partial("pulse", content), public), parts)


def partial(target: str, content: str) -> str:
    """The new content of the element with that id."""
    return f'<hx-partial hx-target="#{target}" hx-swap="innerHTML">{content}</hx-partial>'


def marks_of(request: Request, parts: Iterable[tuple[str, str]]) -> str:
    """What a page that is sent now shows already, for the address where it listens, as `told`: each part by the id of
    its element, with a mark of its `<hx-partial>`.
    """
    public = public_address(request.scope)
    return ",".join(f"{target}:{_mark(with_prefix(part, public))}" for target, part in parts)


def _told_to(request: Request) -> dict[str, str]:
    given = request.query_params.get("told", "").split(",")
    return {target: mark for target, colon, mark in (each.partition(":") for each in given) if colon}


def _mark(part: str) -> str:
    """The same for parts that differ in their relative times only: the page itself lets them go on."""
    return hashlib.sha256(_TIME.sub("", part).encode()).hexdigest()[:12]


def as_event(text: str) -> bytes:
    """One server-sent event with these lines. Only CR and LF end one: a U+2028 stays what it is."""
    return "".join(f"data: {line}\n" for line in _LINE_ENDS.split(text.strip())).encode() + b"\n"
