"""The pages of parked messages: why each was given up on, its bytes made harmless, and replaying or discarding them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, NamedTuple
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from doors.answers import Id
from doors.callers import Caller
from doors.problems import Problem, invalid
from shop_manager.dashboard.acting import TELLING, caller_of, checked, version_in
from shop_manager.dashboard.asked import address
from shop_manager.dashboard.bytes_shown import MOST, bytes_of, hex_rows
from shop_manager.dashboard.shell import HEADERS, Shell, login_of, may
from shop_manager.dashboard.writes import Form
from shop_manager.operations import Operations
from shop_manager.operations.requests import ParkedAct

PATH = "/dashboard/parked"
AT_ONCE = 50
"""A page of the list; so many can be chosen together, and for more there are bulk acts."""
State = Literal["parked", "replayed", "discarded", "all"]
Text = Annotated[str, Query(max_length=1000)]


class Outcome(NamedTuple):
    """What became of one that was chosen."""

    id: str
    done: bool
    detail: str


def parked_pages(router: APIRouter, shell: Shell, operations: Operations) -> None:
    pages = _Pages(shell, operations)

    @router.get("/parked")
    def parked(request: Request, state: State = "parked", service: Text = "", cursor: Text = "") -> Response:
        return pages.listed(request, state, service, cursor)

    @router.post("/parked/actions")
    def act_on_many(request: Request) -> Response:
        return pages.decide_many(request)

    @router.get("/parked/{parked}")
    def parked_one(parked: Id, request: Request) -> Response:
        return pages.one(request, parked)

    @router.post("/parked/{parked}/actions")
    def act_on_one(parked: Id, request: Request) -> Response:
        return pages.decide_one(request, parked)


class _Pages:
    def __init__(self, shell: Shell, operations: Operations) -> None:
        self._shell = shell
        self._reads = operations.reads
        self._acts = operations.parked_acts

    def listed(
        self,
        request: Request,
        state: State = "parked",
        service: str = "",
        cursor: str = "",
        *,
        outcomes: Sequence[Outcome] = (),
        problem: Problem | None = None,
    ) -> Response:
        of_state = None if state == "all" else state
        found = self._reads.parked(state=of_state, service=service or None, limit=AT_ONCE, cursor=cursor or None)
        following = {"state": state, "service": service, "cursor": found["next_cursor"]}
        form: Form = request.state.form if problem else Form([])
        return self._shell.page(
            request,
            "parked.html",
            problem.known.status if problem else 200,
            lines=found["data"],
            state=state,
            service=service,
            later=bool(cursor),
            following=address(PATH, following) if found["has_more"] else "",
            acts_allowed=may(login_of(request), "operator"),
            picked={each.partition("@")[0] for each in form.all_of("pick")},
            reason=form.get("reason", ""),
            outcomes=outcomes,
            wrong=problem.detail if problem else "",
        )

    def one(self, request: Request, parked: str, problem: Problem | None = None) -> Response:
        line = self._reads.parked_one(parked)
        body = bytes_of(line)
        return self._shell.page(
            request,
            "parked_one.html",
            problem.known.status if problem else 200,
            line=line,
            rows=hex_rows(body),
            cut=len(body) > MOST,
            acts_allowed=may(login_of(request), "operator"),
            wrong=problem.detail if problem else "",
            reason=request.state.form.get("reason", "") if problem else "",
        )

    def decide_one(self, request: Request, parked: str) -> Response:
        form, who = request.state.form, caller_of(request)
        self._acts.require(who, "act", parked)
        try:
            wanted = _wanted(form)
            self._acts.act(who, parked, wanted.action, wanted.reason, version_in(form))
        except Problem as problem:
            if problem.code not in TELLING:
                raise
            return self.one(request, parked, problem)
        return RedirectResponse(f"{PATH}/{quote(parked, safe='')}", 303, HEADERS)

    def decide_many(self, request: Request) -> Response:
        """Each for itself: one that was decided meanwhile hinders no other, and each is told with its outcome."""
        form, who = request.state.form, caller_of(request)
        chosen = form.all_of("pick")
        self._acts.require(who, "act", chosen[0].partition("@")[0] if chosen else "none")
        try:
            wanted = _wanted(form)
            if not 0 < len(chosen) <= AT_ONCE:
                raise invalid("pick", f"choose 1 to {AT_ONCE} messages first")
        except Problem as problem:
            return self.listed(request, problem=problem)
        return self.listed(request, outcomes=[self._decided(who, wanted, each) for each in chosen])

    def _decided(self, who: Caller, wanted: ParkedAct, chosen: str) -> Outcome:
        parked, _, version = chosen.partition("@")
        try:
            seen = version_in({"version": version})
            line = self._acts.act(who, parked, wanted.action, wanted.reason, seen)
        except Problem as problem:
            return Outcome(parked, False, problem.detail)
        return Outcome(parked, True, _effect(line))


def _wanted(form: Mapping[str, str]) -> ParkedAct:
    return checked(ParkedAct, {name: form.get(name, "") for name in ("action", "reason")})


def _effect(line: Mapping[str, Any]) -> str:
    return str((line["decision"] or {}).get("effect", ""))
