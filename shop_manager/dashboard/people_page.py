"""The page of people and keys, for admins: add, change the role, renew, disable; make and revoke keys (S2, S9)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import APIRouter, Request, Response

from doors.answers import Id
from doors.problems import Problem
from shop_manager.dashboard.acting import TELLING, caller_of, checked
from shop_manager.dashboard.shell import Shell
from shop_manager.operations import Operations
from shop_manager.operations.requests import KeyAct, KeyAsk, PersonAct, PersonAsk


def people_page(router: APIRouter, shell: Shell, operations: Operations) -> None:
    """A secret is shown in the answer that made it, and on no page after it."""
    people = operations.people

    def show(
        request: Request, made: Mapping[str, Any] | None = None, done: str = "", problem: Problem | None = None
    ) -> Response:
        who = caller_of(request)
        context = {"people": people.people(who)["data"], "keys": people.keys(who)["data"], "made": made, "done": done}
        status = problem.known.status if problem else 200
        typed = request.state.form if problem else {}
        wrong = problem.detail if problem else ""
        return shell.page(request, "people.html", status, **context, typed=typed, wrong=wrong)

    def tried(request: Request, act: Callable[[], tuple[Mapping[str, Any] | None, str]]) -> Response:
        """The page again: with what was made, or with why nothing was."""
        try:
            made, done = act()
        except Problem as problem:
            if problem.code not in TELLING:
                raise
            return show(request, problem=problem)
        return show(request, made, done)

    def forget(request: Request, key: str) -> None:
        request.app.state.keys.forget(key)

    @router.get("/people")
    def read_people(request: Request) -> Response:
        return show(request)

    @router.post("/people")
    def add(request: Request) -> Response:
        people.require(caller_of(request), "people", "people")

        def act() -> tuple[Mapping[str, Any], str]:
            asked = checked(PersonAsk, given(request, "name", "role"))
            return people.add(caller_of(request), asked), "was added"

        return tried(request, act)

    @router.post("/people/{name}/actions")
    def act_on_person(name: Id, request: Request) -> Response:
        people.require(caller_of(request), "people", f"person:{name}")

        def act() -> tuple[Mapping[str, Any] | None, str]:
            asked = checked(PersonAct, given(request, "action", "role"))
            found = people.act(caller_of(request), name, asked)
            forget(request, found["key_id"])
            told = {
                "role": f"{name} is {found['role']} now.",
                "disable": f"{name} is disabled: nothing opens any more.",
            }
            return (found, "has a new password and key") if "password" in found else (None, told[asked.action])

        return tried(request, act)

    @router.post("/people/keys")
    def create_key(request: Request) -> Response:
        people.require(caller_of(request), "keys", "keys")
        return tried(
            request,
            lambda: (
                people.create_key(caller_of(request), checked(KeyAsk, given(request, "scope", "name"))),
                "was made",
            ),
        )

    @router.post("/people/keys/{key}/actions")
    def revoke(key: Id, request: Request) -> Response:
        people.require(caller_of(request), "keys", f"key:{key}")

        def act() -> tuple[None, str]:
            asked = checked(KeyAct, given(request, "action"))
            people.revoke_key(caller_of(request), key, asked.reason)
            forget(request, key)
            return None, f"The key {key} is revoked: it opens nothing any more."

        return tried(request, act)


def given(request: Request, *names: str) -> dict[str, str]:
    """These fields of the form and the reason, as the JSON would have them: an empty one is left out."""
    form: Mapping[str, str] = request.state.form
    fields = {name: form[name].strip() for name in names if form.get(name, "").strip()}
    return {**fields, "reason": form.get("reason", "")}
