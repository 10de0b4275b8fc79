"""The page of one Clerk: what is wrong in shop words, its way, its story, and what can be done about it."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from doors.answers import Id
from doors.problems import Problem
from shop_manager.dashboard import clerk_view as view
from shop_manager.dashboard.acting import TELLING, caller_of, clerk_act, version_in
from shop_manager.dashboard.live import Live, partial
from shop_manager.dashboard.shell import ENVIRONMENT, HEADERS, Shell, login_of, may
from shop_manager.dashboard.way import services_of, way
from shop_manager.operations import Operations

PATH = "/dashboard/clerks"
SHOWN = 200
EVERYTHING = 1_000_000
DONE = {
    "retry": "It was asked again.",
    "undo": "The order has turned around and is being undone.",
    "extend": "The deadline was moved.",
    "settle": "The step was settled by your word.",
    "note": "The note was added.",
}


def clerk_page(router: APIRouter, shell: Shell, live: Live, operations: Operations) -> None:
    """Reading and acting. Acting answers with the page again when it was refused: as it is now, nothing typed lost."""
    pages = _Pages(shell, operations)
    live.parts["clerk"] = pages.news

    @router.get("/clerks/{clerk}")
    def read_clerk(clerk: Id, request: Request) -> Response:
        return pages.show(request, clerk)

    @router.post("/clerks/{clerk}/actions")
    def act(clerk: Id, request: Request) -> Response:
        form, who = request.state.form, caller_of(request)
        operations.acts.require(who, "act", clerk)
        try:
            wanted = clerk_act(form)
            operations.acts.act(who, clerk, wanted.act(), wanted.reason, version_in(form))
        except Problem as problem:
            if problem.code not in TELLING:
                raise
            return pages.show(request, clerk, form, problem)
        return RedirectResponse(f"{path_of(clerk)}?done={wanted.action}", 303, HEADERS)


class _Pages:
    def __init__(self, shell: Shell, operations: Operations) -> None:
        self._shell = shell
        self._reads = operations.reads

    def show(
        self, request: Request, clerk: str, typed: Mapping[str, str] | None = None, problem: Problem | None = None
    ) -> Response:
        found, now = self._reads.clerk(clerk), self._shell.now()
        process = self._reads.catalogue.by_reference.get(found["process"])
        story = view.story(self._reads.timeline(clerk, limit=EVERYTHING)["data"], services_of(process))
        whole = request.query_params.get("story") == "whole"
        return self._shell.page(
            request,
            "clerk.html",
            problem.known.status if problem else 200,
            now=now,
            clerk=found,
            way=way(process, found),
            coming=view.coming(found),
            move=view.move(found),
            story=story if whole else story[:SHOWN],
            earlier=0 if whole else len(story[SHOWN:]),
            acts=view.acts(found, typed or {}, now),
            acts_allowed=may(login_of(request), "operator"),
            sections=view.sections(found["document"]),
            items=view.items(found["document"]),
            messages=self._reads.messages(clerk, limit=EVERYTHING)["data"][-SHOWN:][::-1],
            conflict=view.conflict(problem, story, typed or {}, found["version"]) if problem else None,
            done=DONE.get(request.query_params.get("done", ""), ""),
            live=f"/dashboard/live?of=clerk&id={quote(clerk, safe='')}&version={found['version']}",
        )

    def news(self, request: Request) -> str:
        """That the Clerk has changed since it was read, and nothing else: what is being read stays where it is."""
        clerk, seen = request.query_params.get("id", ""), request.query_params.get("version", "")
        try:
            version = self._reads.clerk(clerk)["version"]
        except Problem:
            return ""
        told = {"changes": max(0, version - int(seen)) if seen.isdigit() else 0, "again": path_of(clerk)}
        return partial("news", ENVIRONMENT.get_template("clerk_news.html").render(told))


def path_of(clerk: str) -> str:
    return f"{PATH}/{quote(clerk, safe='')}"
