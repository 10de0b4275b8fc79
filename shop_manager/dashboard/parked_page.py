"""The pages of parked messages: why each was parked, its bytes made harmless, and replaying or discarding them (O3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, NamedTuple
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from http_api.conventions import Id
from http_api.principals import Principal
from http_api.problems import Problem, invalid
from shop_manager.dashboard.address_errors import address_errors
from shop_manager.dashboard.form_data import FormData
from shop_manager.dashboard.forms import principal_of, raise_unless_shown, validated, version_in
from shop_manager.dashboard.hex_dump import MOST, bytes_of, hex_rows
from shop_manager.dashboard.layout import HEADERS, Layout, login_of, may
from shop_manager.dashboard.not_yet import raise_if_not_yet, shows_its_form
from shop_manager.dashboard.query_parameters import address
from shop_manager.operations.facade import Operations
from shop_manager.operations.requests import ParkedAct

PATH = "/dashboard/parked"
AT_ONCE = 50
"""Messages on a page of the list, which can be decided together. For more there are bulk acts."""
ShownState = Literal["parked", "replayed", "discarded", "all"]
QueryText = Annotated[str, Query(max_length=1000)]


class DecisionResult(NamedTuple):
    """What became of one of the chosen messages."""

    id: str
    done: bool
    detail: str


def parked_pages(router: APIRouter, layout: Layout, operations: Operations) -> None:
    pages = ParkedPages(layout, operations)

    @router.get("/parked")
    def parked(
        request: Request, state: ShownState = "parked", service: QueryText = "", cursor: QueryText = ""
    ) -> Response:
        wrong = address_errors(request.query_params, ("state", "service"), {"cursor"})
        return pages.show_all(request, state, service, cursor, wrong=wrong)

    @router.get("/parked/actions")
    def to_all() -> Response:
        return RedirectResponse(PATH, 303, HEADERS)

    @router.post("/parked/actions")
    @shows_its_form
    def act_on_many(request: Request) -> Response:
        return pages.decide_many(request)

    @router.get("/parked/{parked}")
    def parked_one(parked: Id, request: Request) -> Response:
        return pages.show_one(request, parked)

    @router.post("/parked/{parked}/actions")
    @shows_its_form
    def act_on_one(parked: Id, request: Request) -> Response:
        return pages.decide_one(request, parked)


class ParkedPages:
    def __init__(self, layout: Layout, operations: Operations) -> None:
        self._layout = layout
        self._reads = operations.reads
        self._acts = operations.parked_acts

    def show_all(
        self,
        request: Request,
        state: ShownState = "parked",
        service: str = "",
        cursor: str = "",
        *,
        results: Sequence[DecisionResult] = (),
        problem: Problem | None = None,
        wrong: Mapping[str, str] | None = None,
    ) -> Response:
        """`wrong`: what is wrong with the names in the address; then nothing is listed."""
        found: dict[str, Any] = {"data": [], "has_more": False, "next_cursor": None}
        if not wrong:
            of_state = None if state == "all" else state
            found = self._reads.parked(state=of_state, service=service or None, limit=AT_ONCE, cursor=cursor or None)
        following = {"state": state, "service": service, "cursor": found["next_cursor"]}
        form: FormData = request.state.form if problem else FormData([])
        return self._layout.page(
            request,
            "parked.html",
            problem.known.status if problem else 422 if wrong else 200,
            in_the_address=wrong or {},
            lines=found["data"],
            causes=self._reads.parked_causes()["data"] if state == "parked" and not cursor else [],
            many_allowed=may(login_of(request), "admin"),
            state=state,
            service=service,
            later=bool(cursor),
            following=address(PATH, following) if found["has_more"] else "",
            acts_allowed=may(login_of(request), "operator"),
            picked={_id_and_version(each)[0] for each in form.all_of("pick")},
            reason=form.get("reason", ""),
            decided=results,
            error=problem.detail if problem else "",
        )

    def show_one(self, request: Request, parked: str, problem: Problem | None = None) -> Response:
        line = self._reads.parked_one(parked)
        body = bytes_of(line)
        return self._layout.page(
            request,
            "parked_one.html",
            problem.known.status if problem else 200,
            line=line,
            rows=hex_rows(body),
            cut=len(body) > MOST,
            acts_allowed=may(login_of(request), "operator"),
            error=problem.detail if problem else "",
            reason=request.state.form.get("reason", "") if problem else "",
        )

    def decide_one(self, request: Request, parked: str) -> Response:
        form, who = request.state.form, principal_of(request)
        self._acts.require(who, "act", parked)
        try:
            raise_if_not_yet(request)
            wanted = _parked_act(form)
            self._acts.act(who, parked, wanted.action, wanted.reason, version_in(form))
        except Problem as problem:
            raise_unless_shown(problem)
            return self.show_one(request, parked, problem)
        return RedirectResponse(f"{PATH}/{quote(parked, safe='')}", 303, HEADERS)

    def decide_many(self, request: Request) -> Response:
        """Each message for itself: one that has changed meanwhile is refused, and the others are decided."""
        form, who = request.state.form, principal_of(request)
        chosen = [_id_and_version(each) for each in form.all_of("pick")]
        self._acts.require(who, "act", chosen[0][0] if chosen else "none")
        try:
            raise_if_not_yet(request)
            wanted = _parked_act(form)
            if not 0 < len(chosen) <= AT_ONCE:
                raise invalid("pick", f"choose 1 to {AT_ONCE} messages first")
        except Problem as problem:
            return self.show_all(request, problem=problem)
        return self.show_all(request, results=[self._decided(who, wanted, *each) for each in chosen])

    def _decided(self, who: Principal, wanted: ParkedAct, parked: str, version: str) -> DecisionResult:
        try:
            line = self._acts.act(who, parked, wanted.action, wanted.reason, version_in({"version": version}))
        except Problem as problem:
            return DecisionResult(parked, False, problem.detail)
        return DecisionResult(parked, True, str((line["decision"] or {}).get("effect", "")))


def _parked_act(form: Mapping[str, str]) -> ParkedAct:
    return validated(ParkedAct, {name: form.get(name, "") for name in ("action", "reason")})


def _id_and_version(picked: str) -> tuple[str, str]:
    """From the value of a ticked box: `prk_…@3`."""
    parked, _, version = picked.partition("@")
    return parked, version
