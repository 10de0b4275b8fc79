"""The page of one Clerk: what is wrong, where the order is, what has happened, and what operators can do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response

from domain.trace_urls import trace_link
from domain.visible_text import comparison_key
from http_api.conventions import Id
from http_api.principals import Principal, stable_part
from http_api.problems import Problem
from shop_manager.dashboard import clerk_view as view
from shop_manager.dashboard.act_outcome import outcome_of
from shop_manager.dashboard.diagram import clerk_diagram, services_of
from shop_manager.dashboard.form_numbers import is_number
from shop_manager.dashboard.forms import claim_request, clerk_act_request, principal_of, raise_unless_shown, version_in
from shop_manager.dashboard.layout import ENVIRONMENT, Layout, done_before, lead_on, login_of, may
from shop_manager.dashboard.live import LiveUpdates, partial
from shop_manager.dashboard.not_yet import raise_if_not_yet
from shop_manager.dashboard.timeline_lines import timeline as timeline_of
from shop_manager.dashboard.what_was_told import FULFILLMENT, PAYMENT
from shop_manager.operations.claim_rows import key_of
from shop_manager.operations.facade import Operations
from shop_manager.operations.roles import role_for

PATH = "/dashboard/clerks"
SHOWN = 200
EVERYTHING = 1_000_000
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


class ClerkPage:
    def __init__(self, layout: Layout, operations: Operations, trace_url: str) -> None:
        self._layout = layout
        self._trace_url = trace_url
        self._reads = operations.reads

    def show(
        self, request: Request, clerk: str, form: Mapping[str, str] | None = None, problem: Problem | None = None
    ) -> Response:
        """`form` and `problem` are those of an act that was refused."""
        found, now, form = self._reads.clerk(clerk), self._layout.now(), form or {}
        process = self._reads.registry.by_reference.get(found["process"])
        entries, services = self._reads.timeline(clerk, limit=EVERYTHING)["data"], services_of(process)
        timeline = timeline_of(entries, services, found["question"])
        whole = request.query_params.get("story") == "whole"
        return self._layout.page(
            request,
            "clerk.html",
            problem.known.status if problem else 200,
            now=now,
            clerk=found,
            diagram=clerk_diagram(process, found),
            next_move=view.next_move(found),
            timeline=timeline if whole else timeline[:SHOWN],
            earlier=0 if whole else len(timeline[SHOWN:]),
            acts=view.act_forms(found, form, now),
            mine=[name for name in view.ACT_NAMES if may(login_of(request), role_for(name))],
            refused=view.refused_act(problem, timeline, form, found["version"]) if problem else None,
            done=DONE.get(done_before(request), "") if not problem else "",
            tried=form,
            is_own=is_own(found["claim"], principal_of(request)),
            outcome=outcome_of(entries, found, services, now),
            told=self._reads.told(clerk)[::-1],
            trace=trace_link(self._trace_url, found["trace_id"]),
            live=f"/dashboard/live?of=clerk&id={quote(clerk, safe='')}&version={found['version']}",
            **self._document_and_messages(found),
        )

    def _document_and_messages(self, found: Mapping[str, Any]) -> dict[str, Any]:
        """The parts of the context that the page shows below the timeline."""
        return {
            "words_for_payment": PAYMENT,
            "words_for_fulfillment": FULFILLMENT,
            "items": view.ordered_items(found["document"]),
            "sections": view.document_sections(found["document"]),
            "messages": self._reads.messages(found["id"], limit=EVERYTHING)["data"][-SHOWN:][::-1],
        }

    def updates(self, request: Request) -> str:
        """That the Clerk has changed since the page was opened, and what came of the last act: nothing else moves."""
        clerk, seen = request.query_params.get("id", ""), request.query_params.get("version", "")
        try:
            found = self._reads.clerk(clerk)
        except Problem:
            return ""
        changes = max(0, found["version"] - int(seen)) if is_number(seen) else 0
        template = ENVIRONMENT.get_template("clerk_changed.html")
        news = partial("news", template.render(changes=changes, again=path_of(clerk)))
        claim = ENVIRONMENT.get_template("clerk_claim_now.html").render(clerk=found, now=self._layout.now())
        news += partial("claim", claim) if found["stuck"] else ""
        return news + self._outcome_now(found) if changes else news

    def _outcome_now(self, found: Mapping[str, Any]) -> str:
        """What came of the last act, as it is by now."""
        services, now = services_of(self._reads.registry.by_reference.get(found["process"])), self._layout.now()
        entries = self._reads.timeline(found["id"], limit=EVERYTHING)["data"]
        outcome = outcome_of(entries, found, services, now)
        template = ENVIRONMENT.get_template("clerk_outcome.html")
        return partial("outcome", template.render(outcome=outcome, clerk=found, now=now))


def is_own(claim: Mapping[str, Any] | None, who: Principal) -> bool:
    """Has whoever looks claimed it?"""
    return claim is not None and comparison_key(stable_part(claim["who"]))[:128] == key_of(who)


def path_of(clerk: str) -> str:
    return f"{PATH}/{quote(clerk, safe='')}"
