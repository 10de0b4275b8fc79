"""The OpenAPI document: what FastAPI finds, and what our routes declare of themselves (`documented.py`), put together.

What every operation has in common is added here: `Request-Id`, who may call, the problems that any call can have.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute

from domain.public_url import PublicAddress
from http_api import openapi_parts as parts
from http_api.documented import DECLARED, ETAG, PREFERENCE_APPLIED, REQUEST_ID, RETRY_AFTER, SESSION_ETAG
from http_api.openapi_examples import Examples
from http_api.problems import CODES, MEDIA_TYPE
from http_api.routes import add_routes

Json = dict[str, Any]
METHODS = ("get", "put", "post", "delete", "patch")
OPERATOR_ROLE = "x-operator-role"
"""The least role of an operator who may call it; whoever has a higher one may too."""
_ANY_CALL = ("too_many_requests", "internal", "database_unavailable", "overloaded")
_WITH_KEYS = ("unauthorized", "service_unavailable")
_WITH_BODY = ("invalid_json", "card_number_refused", "unsupported_media_type", "body_too_large", "request_timeout")

OF_A_SESSION = frozenset({402, 409, 412, 422})
"""Refusals that only those get who may see the session: they have its `Session-ETag` too."""


def operation_id(route: APIRoute) -> str:
    """The function's name, a verb and a noun: clients call their functions so (docs/decisions/071)."""
    return route.name


def describe(
    app: FastAPI,
    public: PublicAddress,
    routers: Sequence[APIRouter],
    also: Callable[[], Sequence[APIRouter]] = tuple,
) -> None:
    """From now on `app.openapi()` is our document, made when it is first asked for: of these routers, whose routes the
    application has, and of those that `also` gives, which are other services'.
    """
    made: list[Json] = []

    def openapi() -> Json:
        if not made:
            own = _document(routers, title=app.title, version=app.version, description=app.description)
            others = also()
            made.append(finished(_with(own, _document(others)) if others else own, public))
        return made[0]

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's own documented way of extending the document


def _document(routers: Sequence[APIRouter], **about: str) -> Json:
    """As FastAPI makes it, by an application that describes and never serves."""
    app = FastAPI(generate_unique_id_function=operation_id, **about)  # type: ignore[arg-type]  # title, version and such
    add_routes(app, routers, to_describe=True)
    return app.openapi()


def _with(document: Json, others: Json) -> Json:
    components = {
        kind: {**document["components"].get(kind, {}), **others["components"].get(kind, {})}
        for kind in (*document["components"], *others["components"])
    }
    return {**document, "paths": {**document["paths"], **others["paths"]}, "components": components}


def finished(document: Json, public: PublicAddress) -> Json:
    """The document with all that our routes have declared."""
    document["info"]["license"] = {"name": "MIT", "identifier": "MIT"}
    document["servers"] = [parts.server(public)]
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    document = _rename_schemas(document)
    _tidy_schemas(document)
    used: set[str] = set()
    examples = Examples(document["components"]["schemas"])
    for operation in operations_in(document):
        used |= _expand(operation, document["components"]["schemas"])
        examples.show_in(operation)
    examples.leave_the_schemas()
    _share_problems(document)
    _add_components(document["components"], used)
    document["components"]["examples"] |= dict(sorted(examples.shown.items()))
    _drop_what_is_not_used(document)
    tags = {tag for operation in operations_in(document) for tag in operation.get("tags", [])}
    document["tags"] = [{"name": name, "description": text} for name, text in parts.TAGS.items() if name in tags]
    return document


def operations_in(document: Json) -> Iterator[Json]:
    for item in document.get("paths", {}).values():
        yield from (operation for method, operation in item.items() if method in METHODS)


# --- schemas ---------------------------------------------------------------------------------------------------------


def _rename_schemas(document: Json) -> Json:
    """Call each schema by its title: `Page_Product_` is the `ProductPage`."""
    schemas = document["components"]["schemas"]
    titles = Counter(schema.get("title") for schema in schemas.values())
    names = {name: schema["title"] if titles[schema.get("title")] == 1 else name for name, schema in schemas.items()}
    document["components"]["schemas"] = {names[name]: schema for name, schema in sorted(schemas.items())}
    refs = {parts.SCHEMA + old: parts.SCHEMA + new for old, new in names.items() if old != new}

    def renamed(value: Any) -> Any:
        if isinstance(value, list):
            return [renamed(each) for each in value]
        if not isinstance(value, dict):
            return refs.get(value, value) if isinstance(value, str) else value
        return {key: renamed(each) for key, each in value.items()}

    result: Json = renamed(document)
    return result


def _tidy_schemas(document: Json) -> None:
    """No titles of single members, which only repeat their names; one schema for objects of anything."""
    schemas = document["components"]["schemas"]
    for schema in schemas.values():
        if "discriminator" in schema:
            schema["discriminator"]["mapping"] = _mapping(schema, schemas)
        for member in schema.get("properties", {}).values():
            _tidy(member)
    for operation in operations_in(document):
        for parameter in operation.get("parameters", []):
            parameter.get("schema", {}).pop("title", None)
            if "description" in parameter:
                parameter.get("schema", {}).pop("description", None)


def _mapping(choice: Json, schemas: Json) -> dict[str, str]:
    """By the value of the member that tells the choices apart, which schema it is."""
    member = choice["discriminator"]["propertyName"]
    refs = [each["$ref"] for each in choice["oneOf"]]
    return {schemas[ref.removeprefix(parts.SCHEMA)]["properties"][member]["const"]: ref for ref in refs}


def _tidy(schema: Json) -> None:
    schema.pop("title", None)
    for inner in (schema, *schema.get("anyOf", []), *([schema["items"]] if "items" in schema else [])):
        if inner.get("type") == "object" and inner.get("additionalProperties") is True:
            del inner["type"], inner["additionalProperties"]
            inner["$ref"] = parts.SCHEMA + "JsonObject"
    for inner in (schema.get("additionalProperties"), schema.get("items"), *schema.get("anyOf", [])):
        if isinstance(inner, dict) and "$ref" not in inner:
            _tidy(inner)


# --- operations ------------------------------------------------------------------------------------------------------


def _expand(operation: Json, schemas: Json) -> set[str]:
    """Put what the operation has declared in its place; returns the codes of its problems."""
    declared = operation.pop(DECLARED, {})
    takes = [*declared.get("takes", []), REQUEST_ID]
    operation.setdefault("parameters", []).extend({"$ref": parts.PARAMETER + parts.key(name)} for name in takes)
    _tidy_body(operation.get("requestBody"), declared.get("also_as", []))
    operation["security"] = _security(operation.get("security", []), declared)
    if "operator_key" in str(operation["security"]):
        operation[OPERATOR_ROLE] = declared.get("role") or "viewer"
    for status, response in operation["responses"].items():
        names = declared.get("headers", [])
        kept = [name for name in names if status != "304" or name in (ETAG, SESSION_ETAG, PREFERENCE_APPLIED)]
        response["headers"] = parts.header_refs([*kept, REQUEST_ID])
    operation["responses"]["default"] = _problem(parts.PROBLEM, ["internal"], "Any other error.")
    codes = _codes(operation, declared)
    for status, of_status in sorted(_by_status(codes).items()):
        shows = declared.get("current") if set(declared.get("current_in", [])) & set(of_status) else None
        name = _problem_with_current(shows, schemas) if shows else parts.PROBLEM
        problem = _problem(name, of_status)
        if SESSION_ETAG in declared.get("headers", []) and status in OF_A_SESSION:
            problem["headers"] |= parts.header_refs([SESSION_ETAG])
        operation["responses"][str(status)] = problem
    operation["responses"]["default"] = operation["responses"].pop("default")  # the last one to be read
    return {*codes, "internal"}


def _tidy_body(body: Json | None, also_as: Sequence[str]) -> None:
    """A body that may be left out is no `null`: generators would take it for one. It is taken as other types too."""
    content = (body or {}).get("content", {})
    for media in content.values():
        choices = media["schema"].get("anyOf", [])
        kept = [each for each in choices if each != {"type": "null"}]
        if len(kept) == 1 < len(choices):
            media["schema"] = kept[0]
    for kind in also_as:
        content[kind] = deepcopy(content["application/json"])


def _security(found: Sequence[Json], declared: Json) -> list[Json]:
    """One requirement for each kind of caller; an empty one where nobody has to show anything."""
    named: list[Json] = [{name: []} for name in dict.fromkeys(name for each in found for name in each)]
    return [{}, *named] if declared.get("anybody") and named else named


def _codes(operation: Json, declared: Json) -> list[str]:
    """All problems that the operation can have: its own, and those of any like it."""
    codes = list(declared.get("problems", []))
    if "health" in operation.get("tags", []):
        return [*codes, "invalid_request", "card_number_refused"]
    security = [requirement for requirement in operation["security"] if requirement]
    codes += _WITH_KEYS if security else ()
    codes += ["forbidden"] if security and {} not in operation["security"] else []
    codes += _WITH_BODY if "requestBody" in operation else ()
    return list(dict.fromkeys([*codes, "invalid_request", "card_number_refused", *_ANY_CALL]))


def _by_status(codes: Sequence[str]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for code in codes:
        found.setdefault(CODES[code].status, []).append(code)
    return found


def _problem(schema: str, codes: Sequence[str], text: str | None = None) -> Json:
    statuses = {CODES[code].status for code in codes}
    retryable = any(CODES[code].retryable for code in codes)
    names = [
        REQUEST_ID,
        *([RETRY_AFTER] if retryable else []),
        *([ETAG] if statuses == {412} or "price_changed" in codes else []),
    ]
    told = "  \n".join(f"`{code}`: {CODES[code].title}." for code in codes)
    examples = {code: {"$ref": parts.EXAMPLE + code} for code in codes}
    content = {"schema": {"$ref": parts.SCHEMA + schema}, "examples": examples}
    return {"description": text or told, "headers": parts.header_refs(names), "content": {MEDIA_TYPE: content}}


def _problem_with_current(model: str, schemas: Json) -> str:
    """The name of the schema of a problem that shows the resource as it is now."""
    name = f"{model}Problem"
    now = {"$ref": parts.SCHEMA + model}
    members = {**parts.PROBLEM_SCHEMA["properties"], "current": now}
    schemas[name] = {**parts.PROBLEM_SCHEMA, "title": name, "properties": members}
    schemas[name]["description"] = f"{parts.PROBLEM_SCHEMA['description']} `current`: the resource as it is now."
    return name


def _share_problems(document: Json) -> None:
    """What several operations answer in the same words stands once, under the names of its codes."""
    found = [
        (operation["responses"], status, json.dumps(response))
        for operation in operations_in(document)
        for status, response in operation["responses"].items()
        if MEDIA_TYPE in response.get("content", {})
    ]
    counts = Counter(text for _, _, text in found)
    shared: Json = {}
    for responses, status, text in found:
        if counts[text] > 1:
            name = _name_of_problem(responses[status], status)
            shared[name] = responses[status]
            responses[status] = {"$ref": parts.RESPONSE + name}
    document["components"]["responses"] = dict(sorted(shared.items()))


def _name_of_problem(response: Json, status: str) -> str:
    content = response["content"][MEDIA_TYPE]
    schema = content["schema"]["$ref"].removeprefix(parts.SCHEMA)
    if status == "default":
        return "AnyOther"
    told = [] if schema == parts.PROBLEM else [schema]
    return "".join([*told, "Or".join(parts.camel(code) for code in content["examples"])])


# --- components ------------------------------------------------------------------------------------------------------


def _add_components(components: Json, codes: set[str]) -> None:
    components["schemas"] |= {
        each["title"]: each for each in (parts.PROBLEM_SCHEMA, parts.WRONG_FIELD, parts.JSON_OBJECT)
    }
    components["parameters"] = {parts.key(name): each for name, each in sorted(parts.PARAMETERS.items())}
    components["headers"] = {parts.key(name): each for name, each in sorted(parts.HEADERS.items())}
    components["examples"] = {code: parts.problem_example(code) for code in CODES if code in codes}


def _drop_what_is_not_used(document: Json) -> None:
    """A service's own document has only the parts that its routes refer to."""
    text = json.dumps(document)
    for kind in ("parameters", "headers"):
        parts_of_kind = document["components"][kind]
        document["components"][kind] = {
            name: each for name, each in parts_of_kind.items() if f'"#/components/{kind}/{name}"' in text
        }
