"""The page of people and keys, for admins: add, change a role, renew, disable; make and revoke keys (S2, S9)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from fastapi import APIRouter, Request, Response

from http_api.conventions import Id
from http_api.problems import Problem
from shop_manager.dashboard.forms import principal_of, raise_unless_shown, validated
from shop_manager.dashboard.layout import Layout
from shop_manager.dashboard.not_yet import raise_if_not_yet, shows_its_form
from shop_manager.operations.facade import Operations
from shop_manager.operations.requests import KeyAct, KeyAsk, PersonAct, PersonAsk


class ActOutcome(NamedTuple):
    """What the page says of an act: a sentence, or the rest of one that begins with the name of what was `made`.

    `made` has secrets: they are shown in this response, and on no page after it.
    """

    sentence: str
    made: Mapping[str, Any] | None = None


def people_page(router: APIRouter, layout: Layout, operations: Operations) -> None:
    page = PeoplePage(layout, operations)

    @router.get("/people")
    def read_people(request: Request) -> Response:
        return page.show(request)

    @router.post("/people")
    @shows_its_form
    def add_person(request: Request) -> Response:
        return page.act(request, "people", "people", page.add_person)

    @router.post("/people/{name}/actions")
    def act_on_person(name: Id, request: Request) -> Response:
        return page.act(request, "people", f"person:{name}", lambda request: page.act_on_person(request, name))

    @router.post("/people/keys")
    @shows_its_form
    def create_key(request: Request) -> Response:
        return page.act(request, "keys", "keys", page.create_key)

    @router.post("/people/keys/{key}/actions")
    def revoke_key(key: Id, request: Request) -> Response:
        return page.act(request, "keys", f"key:{key}", lambda request: page.revoke_key(request, key))


class PeoplePage:
    def __init__(self, layout: Layout, operations: Operations) -> None:
        self._layout = layout
        self._people = operations.people

    def show(self, request: Request, done: ActOutcome | None = None, problem: Problem | None = None) -> Response:
        who = principal_of(request)
        return self._layout.page(
            request,
            "people.html",
            problem.known.status if problem else 200,
            people=self._people.people(who)["data"],
            keys=self._people.keys(who)["data"],
            made=done.made if done else None,
            done=done.sentence if done else "",
            typed=request.state.form if problem else {},
            error=problem.detail if problem else "",
        )

    def act(self, request: Request, action: str, target: str, act: Callable[[Request], ActOutcome]) -> Response:
        """The page again: with what was done, or with why nothing was."""
        self._people.require(principal_of(request), action, target)
        try:
            raise_if_not_yet(request)
            done = act(request)
        except Problem as problem:
            raise_unless_shown(problem)
            return self.show(request, problem=problem)
        return self.show(request, done)

    def add_person(self, request: Request) -> ActOutcome:
        wanted = validated(PersonAsk, given(request, "name", "role"))
        return ActOutcome("was added", self._people.add(principal_of(request), wanted))

    def act_on_person(self, request: Request, name: str) -> ActOutcome:
        wanted = validated(PersonAct, given(request, "action", "role"))
        found = self._people.act(principal_of(request), name, wanted)
        _forget(request, found["key_id"])
        if wanted.action == "renew":
            return ActOutcome("has a new password and key", found)
        if wanted.action == "role":
            return ActOutcome(f"{name} is {found['role']} now.")
        return ActOutcome(f"{name} is disabled: nothing opens any more.")

    def create_key(self, request: Request) -> ActOutcome:
        fields: dict[str, object] = {**given(request, "scope", "name", "expires_in_days")}
        days = fields.get("expires_in_days", "")
        if isinstance(days, str) and re.fullmatch(r"[0-9]{1,9}", days):
            fields["expires_in_days"] = int(days)  # else it is refused as it is
        wanted = validated(KeyAsk, fields)
        return ActOutcome("was made", self._people.create_key(principal_of(request), wanted))

    def revoke_key(self, request: Request, key: str) -> ActOutcome:
        wanted = validated(KeyAct, given(request, "action"))
        self._people.revoke_key(principal_of(request), key, wanted.reason)
        _forget(request, key)
        return ActOutcome(f"The key {key} is revoked: it opens nothing any more.")


def given(request: Request, *names: str) -> dict[str, str]:
    """These fields of the form and the reason, as JSON would have them: an empty field is left out."""
    form: Mapping[str, str] = request.state.form
    fields = {name: form[name].strip() for name in names if form.get(name, "").strip()}
    return {**fields, "reason": form.get("reason", "")}


def _forget(request: Request, key: str) -> None:
    """The key ring of this app remembers keys that it has checked: this one is checked anew."""
    request.app.state.keys.forget(key)
