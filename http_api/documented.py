"""What a route says of itself for the OpenAPI document: its answers, its problems, and the headers both ways.

    READ_CART = documented(Cart, says="The cart.", headers=[ETAG], problems=["not_found", "session_ended"])

    @router.get("/shop/carts/{session}", **READ_CART)

`openapi.py` makes the document of it. What every operation has in common stands there, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from http_api.answers import Answer
from http_api.keys import Role
from http_api.principals import Shown, shows

DECLARED = "x-declared"
"""Where an operation carries what `openapi.py` has still to expand; it is gone in the document that is served."""

IDEMPOTENCY_KEY = "Idempotency-Key"
IF_MATCH = "If-Match"
IF_MATCH_NEEDED = "If-Match (needed)"
IF_NONE_MATCH = "If-None-Match"
IF_NONE_MATCH_TO_WRITE = "If-None-Match (to write)"
PREFER = "Prefer"
LAST_EVENT_ID = "Last-Event-ID"
REQUEST_ID = "Request-Id"
ETAG = "ETag"
LOCATION = "Location"
RETRY_AFTER = "Retry-After"
IDEMPOTENT_REPLAYED = "Idempotent-Replayed"
SESSION_ETAG = "Session-ETag"
PREFERENCE_APPLIED = "Preference-Applied"
MERGE_PATCH = "application/merge-patch+json"

ANY_KEY: Sequence[Shown] = ("server", "warehouse", "operator", "monitoring")
NOT_MODIFIED = {304: "It is what `If-None-Match` names: no body."}


def documented(
    answer: type[Answer] | None = None,
    status: int = 200,
    *,
    says: str = "",
    likewise: Mapping[int, str] | None = None,
    other: Mapping[int, tuple[type[Answer], str]] | None = None,
    empty: Mapping[int, str] | None = None,
    content: Mapping[str, Any] | None = None,
    headers: Sequence[str] = (),
    takes: Sequence[str] = (),
    also_as: Sequence[str] = (),
    problems: Sequence[str] = (),
    current: type[Answer] | None = None,
    current_in: Sequence[str] = ("version_conflict", "price_changed"),
    shown_by: Sequence[Shown] = (),
    role: Role | None = None,
    anybody: bool = False,
) -> dict[str, Any]:
    """Arguments of a route's decorator. `says` is what the answer is, in a few words.

    `likewise`: other statuses with the same answer; `other`: those with another one; `empty`: those without a body;
    `content`: of an answer that is no JSON, by media type. `headers` are on all of them, `takes` those of the request.
    `also_as`: media types of the request body beside `application/json`.
    `problems`: the codes that are this route's own. `current`: what those of `current_in` show as it is now.

    `shown_by`: whose credentials it takes, where no dependency says so by letting them in; `role`: the operator's that
    is needed; `anybody`: it may be called without credentials too.
    """
    responses: dict[int | str, dict[str, Any]] = {}
    for code, text in {status: says or "Done.", **(likewise or {})}.items():
        responses[code] = {"description": text}
        if answer is not None:
            responses[code]["model"] = answer
        elif content is not None:
            responses[code]["content"] = content
    for code, (model, text) in (other or {}).items():
        responses[code] = {"description": text, "model": model}
    for code, text in (empty or {}).items():
        responses[code] = {"description": text}
    if current is not None:
        responses["default"] = {"model": current}  # so that its schema is in the document; openapi.py moves it
    declared = {
        "headers": list(headers),
        "takes": list(takes),
        "also_as": list(also_as),
        "problems": list(problems),
        "current": current.__name__ if current else None,
        "current_in": list(current_in),
        "role": role,
        "anybody": anybody,
    }
    found: dict[str, Any] = {"response_model": None, "responses": responses, "openapi_extra": {DECLARED: declared}}
    return {**found, "dependencies": shows(*shown_by)} if shown_by else found


def documented_read(answer: type[Answer], *, says: str, problems: Sequence[str]) -> dict[str, Any]:
    """Of a resource with an `ETag`: whoever knows its version already hears 304."""
    return documented(answer, says=says, empty=NOT_MODIFIED, headers=[ETAG], takes=[IF_NONE_MATCH], problems=problems)


def documented_put(answer: type[Answer], *, says: str) -> dict[str, Any]:
    """Of a `PUT` of a whole resource: under both conditions (docs/decisions/090)."""
    return documented(
        answer,
        says=says,
        headers=[ETAG],
        takes=[IF_MATCH, IF_NONE_MATCH_TO_WRITE],
        problems=["version_conflict"],
        current=answer,
    )
