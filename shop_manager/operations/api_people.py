"""The HTTP routes of people and keys, for admins, and of each operator's own saved views."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response

from http_api.conventions import Id
from http_api.routes import Routes
from shop_manager.operations import answers_records as answers
from shop_manager.operations.api_acts import Who
from shop_manager.operations.facade import Operations
from shop_manager.operations.requests import KeyAct, KeyAsk, PersonAct, PersonAsk, ViewAsk
from shop_manager.sessions.api import as_json


def ops_people_router(operations: Operations) -> APIRouter:
    router = Routes(prefix="/ops", tags=["operators"])
    for add in (_add_people, _add_keys, _add_views, _add_mentions):
        add(router, operations)
    return router


def _add_people(router: APIRouter, operations: Operations) -> None:
    people = operations.people

    def may(who: Who) -> None:
        people.require(who, "people", "people")

    @router.get("/people", **answers.LIST_PEOPLE, dependencies=[Depends(may)])
    def list_people(who: Who) -> Response:
        """The operators, the disabled ones too."""
        return as_json(people.people(who))

    @router.post("/people", status_code=201, **answers.ADD_PERSON, dependencies=[Depends(may)])
    def add_person(who: Who, body: PersonAsk) -> Response:
        """A new operator: password and key are shown now, and never again."""
        return as_json(people.add(who, body), 201)

    @router.post("/people/{name}/actions", **answers.ACT_ON_PERSON, dependencies=[Depends(may)])
    def act_on_person(name: Id, who: Who, body: PersonAct, request: Request) -> Response:
        """Another role, a new password and key, or disabled. It counts from the next request on."""
        found = people.act(who, name, body)
        request.app.state.keys.forget(found["key_id"])
        return as_json(found)


def _add_keys(router: APIRouter, operations: Operations) -> None:
    people = operations.people

    def may(who: Who) -> None:
        people.require(who, "keys", "keys")

    @router.get("/keys", **answers.LIST_KEYS, dependencies=[Depends(may)])
    def list_keys(who: Who) -> Response:
        """The keys that this door knows, without themselves."""
        return as_json(people.keys(who))

    @router.post("/keys", status_code=201, **answers.CREATE_KEY, dependencies=[Depends(may)])
    def create_key(who: Who, body: KeyAsk) -> Response:
        """A new key for the shop's backend or the warehouse: shown now, and never again."""
        return as_json(people.create_key(who, body), 201)

    @router.post("/keys/{key}/actions", **answers.ACT_ON_KEY, dependencies=[Depends(may)])
    def act_on_key(key: Id, who: Who, body: KeyAct, request: Request) -> Response:
        """Revoke it: it opens nothing any more."""
        found = people.revoke_key(who, key, body.reason)
        request.app.state.keys.forget(key)
        return as_json(found)


def _add_mentions(router: APIRouter, operations: Operations) -> None:
    @router.get("/mentions", **answers.LIST_MENTIONS)
    def list_mentions(who: Who) -> Response:
        """The latest notes that name me by `@name`; they are seen when I have opened the order's page."""
        return as_json(operations.mentions.of(who))


def _add_views(router: APIRouter, operations: Operations) -> None:
    views = operations.views

    @router.get("/views", **answers.LIST_VIEWS)
    def list_views(who: Who) -> Response:
        """My saved views of the list of Clerks, and those that others share."""
        return as_json(views.all_of(who))

    @router.post("/views", **answers.SAVE_VIEW)
    def save_view(who: Who, body: ViewAsk) -> Response:
        """Keep a filter under a name, for oneself or shared; a name that is there gets the new one."""
        return as_json(views.save(who, body.name, body.query, shared=body.shared, owner=body.owner))

    @router.delete("/views/{name}", status_code=204, **answers.REMOVE_VIEW)
    def remove_view(
        name: Annotated[str, Path(min_length=1, max_length=80)], who: Who, owner: Id | None = None
    ) -> Response:
        """Forget a saved view; with `owner` a shared one of somebody else's, for admins."""
        views.remove(who, name, owner=owner)
        return Response(status_code=204)
