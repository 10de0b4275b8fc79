"""The page of one Clerk: what is wrong, where the order is, what has happened, and what operators can do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Depends, Request, Response

from domain.times import seconds
from domain.trace_urls import trace_link
from http_api.conventions import Id
from http_api.problems import Problem
from shop_manager.dashboard import clerk_view as view
from shop_manager.dashboard.clerk_parts import Parts, clerk_context, parts_of
from shop_manager.dashboard.form_numbers import is_number
from shop_manager.dashboard.forms import claim_request, clerk_act_request, principal_of, raise_unless_shown, version_in
from shop_manager.dashboard.layout import ENVIRONMENT, Layout, done_before, lead_on
from shop_manager.dashboard.live import LiveUpdates, marks_of, partial
from shop_manager.dashboard.not_yet import raise_if_not_yet, shows_its_form
from shop_manager.operations.facade import Operations

PATH = "/dashboard/clerks"
LOOK_AGAIN = seconds(10)
"""ms after which an open page is put together again although its Clerk is as it was: a reply may have been ignored."""
DONE = {
    "retry": "It was asked again; it counts as stuck until it is answered.",
    "undo": "The order has turned around and is being undone.",
    "extend": "The deadline was moved.",
    "settle": "The step was settled by your word.",
    "note": "The note was added.",
    "claim": "It is yours; everybody sees so.",
    "take_over": "You have taken it over.",
    "release": "Nobody has it now.",
    "snooze": "It is put off, and counts as stuck all the same.",
}
"""What the page says after each act."""


def clerk_page(
    router: APIRouter, layout: Layout, live: LiveUpdates, operations: Operations, trace_url: str = ""
) -> None:
    """Adds the routes that show a Clerk and act on it. A refused act shows the page again (decision 045).

    `trace_url`: where an order's trace is looked at (domain/trace_urls.py).
    """
    page = ClerkPage(layout, operations, trace_url)
    live.pages["clerk"] = page.updates

    def see_notes(clerk: Id, request: Request) -> None:
        operations.mentions.see(principal_of(request), clerk)  # a dependency: the page itself only reads

    @router.get("/clerks/{clerk}", dependencies=[Depends(see_notes)])
    def read_clerk(clerk: Id, request: Request) -> Response:
        return page.show(request, clerk)

    @router.post("/clerks/{clerk}/claim")
    @shows_its_form
    def claim(clerk: Id, request: Request) -> Response:
        form, who = request.state.form, principal_of(request)
        operations.claims.require(who, clerk)
        try:
            raise_if_not_yet(request)
            asked = claim_request(form, layout.now())
            operations.claims.act(who, clerk, asked)
        except Problem as problem:
            raise_unless_shown(problem)
            return page.show(request, clerk, form, problem)
        return lead_on(request, path_of(clerk), "take_over" if asked.instead_of else asked.action)

    @router.post("/clerks/{clerk}/actions")
    @shows_its_form
    def act(clerk: Id, request: Request) -> Response:
        form, who = request.state.form, principal_of(request)
        operations.acts.require(who, "act", clerk)
        try:
            raise_if_not_yet(request)
            wanted = clerk_act_request(form, layout.now())
            operations.acts.act(who, clerk, wanted.act(), wanted.reason, version_in(form))
        except Problem as problem:
            raise_unless_shown(problem)
            return page.show(request, clerk, form, problem)
        return lead_on(request, path_of(clerk), wanted.action)


class LastLook(NamedTuple):
    """What a stream has seen last: `at` in ms, the Clerk without what changes by the second, and all parts."""

    at: int
    found: Mapping[str, Any]
    text: str


class ClerkPage:
    def __init__(self, layout: Layout, operations: Operations, trace_url: str) -> None:
        self._layout = layout
        self._trace_url = trace_url
        self._reads = operations.reads

    def show(
        self, request: Request, clerk: str, form: Mapping[str, str] | None = None, problem: Problem | None = None
    ) -> Response:
        """`form` and `problem` are those of an act that was refused."""
        found = self._reads.clerk(clerk)
        context = self._context(request, found, form or {}, found["version"])
        parts, lines = parts_of(context), context.pop("all_lines")
        return self._layout.page(
            request,
            "clerk.html",
            problem.known.status if problem else 200,
            **{name: value for name, value in context.items() if name not in ("login", "csrf")},
            parts=parts,
            refused=view.refused_act(problem, lines, form or {}, found["version"]) if problem else None,
            done=DONE.get(done_before(request), "") if not problem else "",
            live=self._live(request, found, parts),
        )

    def _context(
        self, request: Request, found: Mapping[str, Any], form: Mapping[str, str], seen: int
    ) -> dict[str, Any]:
        context = clerk_context(request, self._reads, found, form, now=self._layout.now(), seen=seen)
        return {**context, "trace": trace_link(self._trace_url, found["trace_id"])}

    def _live(self, request: Request, found: Mapping[str, Any], parts: Parts) -> str:
        """Where the page listens: with what it shows already."""
        told = marks_of(request, ((name, partial(name, part)) for name, part in parts.items()))
        whole = {"story": "whole"} if request.query_params.get("story") == "whole" else {}
        listens = {"of": "clerk", "id": found["id"], "version": str(found["version"]), **whole, "told": told}
        return f"/dashboard/live?{urlencode(listens)}"

    def updates(self, request: Request) -> str:
        """All parts of the page, of one look; those that it shows already are not sent."""
        try:
            found = self._reads.clerk(request.query_params.get("id", ""))
        except Problem:
            return ""
        now = self._layout.now()
        before: LastLook | None = getattr(request.state, "last_look", None)
        if before and before.found == {**found, "next": None} and now < before.at + LOOK_AGAIN:
            return before.text
        look = LastLook(now, {**found, "next": None}, self._all_parts(request, found))
        request.state.last_look = look
        return look.text

    def _all_parts(self, request: Request, found: Mapping[str, Any]) -> str:
        version = request.query_params.get("version", "")
        seen = int(version) if is_number(version) else found["version"]
        changes = max(0, found["version"] - seen)
        news = ENVIRONMENT.get_template("clerk_changed.html").render(changes=changes)
        parts = parts_of(self._context(request, found, {}, seen))
        return "".join(partial(name, part) for name, part in {"news": news, **parts}.items())


def path_of(clerk: str) -> str:
    return f"{PATH}/{quote(clerk, safe='')}"
