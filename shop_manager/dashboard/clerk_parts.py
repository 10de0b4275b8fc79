"""The parts of the page of one Clerk: the page is put together from them, and while it is open they change together.

All of them are of one look (docs/decisions/143).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import Request
from markupsafe import Markup

from http_api.principals import Principal, operator_key
from shop_manager.dashboard import clerk_view as view
from shop_manager.dashboard.act_outcome import outcome_of
from shop_manager.dashboard.csrf import csrf_token
from shop_manager.dashboard.diagram import clerk_diagram, services_of
from shop_manager.dashboard.layout import ENVIRONMENT, login_of, may
from shop_manager.dashboard.timeline_lines import timeline as timeline_of
from shop_manager.dashboard.what_was_told import FULFILLMENT, PAYMENT
from shop_manager.operations.claim_rows import key_of
from shop_manager.operations.reads import Reads
from shop_manager.operations.roles import role_for

SHOWN = 200
EVERYTHING = 1_000_000
Parts = dict[str, Markup]
"""By the id of the element that each is the content of (`title`: of the page's title)."""
_PARTS = ("title", "outcome", "head", "way", "next", "told", "story", "document")
_ACT = "slot-{}"
"""An element that stays as it is while somebody is at the form in it (`data-kept`)."""


def clerk_context(
    request: Request, reads: Reads, found: Mapping[str, Any], form: Mapping[str, str], *, now: int, seen: int
) -> dict[str, Any]:
    """What the templates of the parts know. `form`: of a refused act, else empty; `seen`: the version of the Clerk when
    the page was opened.
    """
    login, process = login_of(request), reads.registry.by_reference.get(found["process"])
    entries, services = reads.timeline(found["id"], limit=EVERYTHING)["data"], services_of(process)
    timeline = timeline_of(entries, services, found["question"])
    whole = request.query_params.get("story") == "whole"
    return {
        "now": now,
        "login": login,
        "csrf": csrf_token(login.token),
        "clerk": found,
        "seen": seen,
        "diagram": clerk_diagram(process, found),
        "next_move": view.next_move(found),
        "silence": view.silence(found, services, entries),
        "timeline": timeline if whole else timeline[:SHOWN],
        "earlier": 0 if whole else len(timeline[SHOWN:]),
        "all_lines": timeline,
        "acts": view.act_forms(found, form, now),
        "mine": [name for name in view.ACT_NAMES if may(login, role_for(name))],
        "tried": form,
        "is_own": is_own(found["claim"], login.principal),
        "outcome": outcome_of(entries, found, services, now),
        "told": reads.told(found["id"])[::-1],
        "words_for_payment": PAYMENT,
        "words_for_fulfillment": FULFILLMENT,
        "items": view.ordered_items(found["document"]),
        "sections": view.document_sections(found["document"]),
        "messages": reads.messages(found["id"], limit=EVERYTHING)["data"][-SHOWN:][::-1],
    }


def parts_of(context: Mapping[str, Any]) -> Parts:
    """The outer ones before those within them."""
    return {name: Markup(text) for name, text in _rendered(context)}  # noqa: S704  # what a template has rendered


def _rendered(context: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name in _PARTS:
        yield name, _render(f"clerk_{name}.html", context)
    for act in context["acts"]:
        yield _ACT.format(act.action), _render("clerk_act.html", {**context, "act": act})
    yield _ACT.format("claim"), _render("clerk_claim.html", context)
    if context["clerk"]["stuck"] or context["clerk"]["claim"]:
        yield "claim", _render("clerk_claim_now.html", context)


def _render(template: str, context: Mapping[str, Any]) -> str:
    return ENVIRONMENT.get_template(template).render(context)


def is_own(claim: Mapping[str, Any] | None, who: Principal) -> bool:
    """Has whoever looks claimed it?"""
    return claim is not None and operator_key(claim["who"]) == key_of(who)
