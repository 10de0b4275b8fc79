"""What all HTTP routes have in common: pages of lists, versions (ETag), waiting, idempotency keys, request bodies."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Annotated, Any, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    StringConstraints,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from domain.ids import is_id
from domain.money import is_currency
from domain.times import from_wire
from domain.visible_text import is_blank, is_storable
from http_api.answers import EXAMPLE
from http_api.principals import Principal
from http_api.problems import Problem, invalid
from http_api.text_patterns import SKU
from http_api.unguessable import is_unguessable

Version = int | str
"""What an `ETag` names: a number that grows, or a digest of what the answer shows (`digest_of`)."""
LONGEST_WAIT = 30
"""Seconds that a long poll waits at most, whatever was preferred."""
_ETAG = re.compile(r'(?:[Ww]/)?"([^"]+?)(?:(?:--?|;)(?:gzip|br|deflate|zstd))?"')
"""An ETag as we have sent it, or as a proxy or a browser has changed it: nginx makes `W/"7"` of `"7"` where it packs
the body, Apache `"7-gzip"`, others `"7;gzip"`. All of them mean the version 7.
"""
_MEMBER = re.compile(r'[ \t]*(?:((?:[Ww]/)?"[^"]*")[ \t]*)?(?:,|\Z)')
"""One of a list of ETags, with the comma behind it: a comma within the quotes is the ETag's own."""
_VERSION = re.compile(r"[1-9][0-9]{0,17}")
NEVER = -1
"""A version that nothing ever had."""
_WAIT = re.compile(r"\s*wait\s*=\s*\"?([0-9]{1,9})\"?\s*", re.IGNORECASE)
_KEY = re.compile(r"[!-~](?:[ -~]{0,253}[!-~])?")


def _checked_id(text: str) -> str:
    if not is_id(text):
        raise ValueError("an id has 1 to 128 printable ASCII characters, no blank and no slash")
    return text


Id = Annotated[
    str,
    AfterValidator(_checked_id),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[!-.0-~]{1,128}$"}),
]
"""An id in a body, path or query: empty, blank and overlong ones are refused (semantics M8)."""


def not_blank(text: str) -> str:
    """The text, when a person sees anything of it; ValueError for blanks and zero-width characters only."""
    if is_blank(text):
        raise ValueError("a blank text says nothing")
    return text


NOT_BLANK = AfterValidator(not_blank)
Sku = Annotated[str, StringConstraints(pattern=SKU)]
"""An article's number, where one is made; in other places it is any `Id`."""


def _known_currency(code: str) -> str:
    if not is_currency(code):
        raise ValueError("an ISO 4217 code of money that is paid with is needed, such as EUR, USD or JPY")
    return code


Currency = Annotated[
    str,
    AfterValidator(_known_currency),
    WithJsonSchema({"type": "string", "pattern": "^[A-Z]{3}$", "description": "ISO 4217"}),
]
"""The currency of a shop, an article or a credit limit."""


def example(value: Mapping[str, Any]) -> ConfigDict:
    """The `model_config` of a body with an example, for the OpenAPI document."""
    return ConfigDict(json_schema_extra={EXAMPLE: json.dumps(value)})


class Body(BaseModel):
    """Every request body: unknown fields are refused, and nothing is converted (`"2"` and `true` are no numbers).

    JSON has one kind of number, so `110.0` and `1.1e2` are the whole number 110 (RFC 8259, decision 079).
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    @field_validator("*", mode="before")
    @classmethod
    def _whole_numbers(cls, value: Any, info: ValidationInfo) -> Any:
        if not isinstance(value, float) or not value.is_integer():
            return value
        return int(value) if _takes_integers(cls.model_fields[info.field_name or ""].annotation) else value


def _takes_integers(annotation: Any) -> bool:
    return annotation is int or any(_takes_integers(each) for each in get_args(annotation))


def query_moment(name: str, text: str | None) -> int | None:
    """An RFC 3339 time from a query parameter, in ms; Problem 422 names the parameter.

    A `+` that was not escaped as `%2B` arrives as a blank, and is taken as what it was meant to be.
    """
    if text is None:
        return None
    try:
        return from_wire(_UNESCAPED_PLUS.sub("+", text))
    except (ValueError, OverflowError):
        raise invalid(name, f"{MOMENT_ALLOWED} (is {text[:40]!r})") from None


MOMENT_ALLOWED = "an RFC 3339 time is needed, such as 2026-11-23T14:20:53Z or 2026-11-23T15:20:53+01:00"
_UNESCAPED_PLUS = re.compile(r" (?=[0-9]{2}:[0-9]{2}$)")


def page(rows: Sequence[Any], limit: int, next_cursor: str | None) -> dict[str, Any]:
    """`{data, has_more, next_cursor}` of at most `limit` rows; a `next_cursor` says that there are more."""
    return {"data": list(rows[:limit]), "has_more": next_cursor is not None, "next_cursor": next_cursor}


def encode_cursor(place: Sequence[str | int]) -> str:
    """An opaque text for the place where the next page begins, e.g. (created_at, id)."""
    return base64.urlsafe_b64encode(json.dumps(list(place)).encode()).decode().rstrip("=")


def decode_cursor(cursor: str, shape: Sequence[type[str] | type[int]]) -> tuple[Any, ...]:
    """What `encode_cursor` was given, one value for each type in `shape`; Problem 422 `cursor` when it is broken."""
    try:
        place = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        place = None
    if not isinstance(place, list) or [type(value) for value in place] != list(shape):
        raise invalid("cursor", "take it as it is from `next_cursor` of the page before")
    if not all(abs(value) < 2**63 if isinstance(value, int) else is_storable(value) for value in place):
        raise invalid("cursor", "take it as it is from `next_cursor` of the page before")
    return tuple(place)


def digest_of(content: object) -> str:
    """The version of something that counts none: the same for the same JSON content, in whatever order its keys are."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return blake2b(canonical.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def etag(version: Version) -> str:
    """`7` → `"7"`, with its quotes."""
    return f'"{version}"'


def check_if_match(
    request: Request, version: Version, *led_here: Version, current: Mapping[str, Any] | None = None
) -> None:
    """Goes on when `If-Match` is absent, `*`, or names this version; else Problem 412 `version_conflict`.

    `led_here`: versions from which this very request, sent before, has led to what is there now; they pass too.
    `current`: the resource as it is now, for the problem. A malformed header is 422.
    """
    named = _versions_in(request, "If-Match")
    if named is None or "*" in named:
        return
    if not {str(version), *map(str, led_here)} & named:
        raise other_version(version, current)


def other_version(
    version: Version, current: Mapping[str, Any] | None, detail: str = "", session_id: str | None = None
) -> Problem:
    """412: the client has not seen this version, which `current` is."""
    headers = {"ETag": etag(version)}
    return Problem(
        "version_conflict", detail, param="If-Match", headers=headers, current=current, session_id=session_id
    )


def check_if_none_match(
    request: Request, version: Version, *, exists: bool = True, current: Mapping[str, Any] | None = None
) -> None:
    """Goes on when `If-None-Match` is absent or names another version; else Problem 412 `version_conflict`.

    `*` passes while there is nothing: `exists` says whether there is. For calls that write; those that read answer 304.
    """
    named = _versions_in(request, "If-None-Match")
    if named is not None and ((exists and "*" in named) or str(version) in named):
        detail = "It is there already, as `current` shows: without `If-None-Match` it is changed."
        raise Problem(
            "version_conflict", detail, param="If-None-Match", headers={"ETag": etag(version)}, current=current
        )


def unless_changed(request: Request, content: Mapping[str, Any] | None) -> None:
    """Goes on when this is what the client has seen, by `If-Match` and `If-None-Match`; else Problem 412 shows it.

    `content`: the resource as it is now; None: there is none, and `If-Match` names none, not even with `*`.
    """
    if content is None and _versions_in(request, "If-Match") is not None:
        raise Problem("version_conflict", "There is nothing yet that could have a version.", param="If-Match")
    if content is None:
        _versions_in(request, "If-None-Match")
        return
    check_if_match(request, digest_of(content), current=content)
    check_if_none_match(request, digest_of(content), current=content)


def _versions_in(request: Request, header: str) -> set[str] | None:
    """The versions that the header names, `*` for any; None without it. Problem 422 when it names none."""
    lines = request.headers.getlist(header)
    if not lines:
        return None
    given = ",".join(lines).strip()
    if given == "*":
        return {"*"}
    named, place = set(), 0
    while place < len(given):
        member = _MEMBER.match(given, place)
        tag = _ETAG.fullmatch(member.group(1)) if member and member.group(1) else None
        if member is None or (member.group(1) and tag is None):
            raise _no_versions(header)
        named |= {tag.group(1)} if tag else set()
        place = member.end()
    if not named:
        raise _no_versions(header)
    return named


def _no_versions(header: str) -> Problem:
    return invalid(header, 'allowed are `*` and versions in quotes, such as "7"; leave it out if none was seen')


def version_seen(request: Request) -> int:
    """The one version that the client has seen, from `If-Match: "7"`: for acts that nobody may do blindly (O1).

    NEVER when nothing ever had it. Problem 428 `version_required` without one or with `*`, 422 when it is not one.
    """
    named = _versions_in(request, "If-Match")
    if named is None:
        raise Problem("version_required", param="If-Match")
    if "*" in named:
        detail = "`*` is not taken here: the version that was seen is needed, the `ETag` that you have read."
        raise Problem("version_required", detail, param="If-Match")
    if len(named) > 1:
        raise invalid("If-Match", 'one version in quotes is needed, such as "7"')
    (version,) = named
    return int(version) if _VERSION.fullmatch(version) else NEVER


def not_modified(request: Request, version: Version) -> bool:
    """Does the client have this version already (`If-None-Match`)? Then the answer is an empty 304.

    Problem 422 when the header is malformed.
    """
    named = _versions_in(request, "If-None-Match")
    return named is not None and bool(named & {"*", str(version)})


def unless_known(request: Request, content: Mapping[str, Any]) -> Response:
    """The content with its digest as `ETag`; an empty 304 when the client has it already."""
    version = digest_of(content)
    if not_modified(request, version):
        return Response(status_code=304, headers={"ETag": etag(version)})
    return with_digest(content)


def with_digest(content: Mapping[str, Any], status: int = 200) -> Response:
    """The content with its digest as `ETag`."""
    return JSONResponse(content, status, {"ETag": etag(digest_of(content))})


def preferred_wait(request: Request) -> int:
    """Seconds to wait for a change, from `Prefer: wait=20`: 0 without one or with one that says nothing we know."""
    for preference in ",".join(request.headers.getlist("prefer")).split(","):
        match = _WAIT.fullmatch(preference.partition(";")[0])
        if match:
            return min(int(match.group(1)), LONGEST_WAIT)
    return 0


def idempotency_key(request: Request, who: Principal) -> str | None:
    """The `Idempotency-Key`, None without one; Problem 422 unless it is one header of 1 to 255 printable characters.

    All callers without an access key share one space of keys: theirs must be such that no other comes upon them (S1).
    That is decided before anything is looked up, so a key that somebody uses is refused like one that nobody does.
    """
    given = request.headers.getlist("idempotency-key")
    if not given:
        return None
    if len(given) > 1 or _KEY.fullmatch(given[0]) is None:
        raise Problem("idempotency_key_invalid", param="Idempotency-Key")
    if who.is_unproven and not is_unguessable(given[0]):
        raise Problem("weak_idempotency_key", param="Idempotency-Key")
    return given[0]
