"""The shapes and headers that all our resources share: pages, versions, waiting, retried writes, and request bodies."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, WithJsonSchema
from starlette.requests import Request

from domain.ids import is_id
from doors.problems import Problem, invalid

LONGEST_WAIT = 30
"""Seconds that a long poll waits at most, whatever was preferred."""
_ETAG = re.compile(r'(?:W/)?"([^"]{1,64})"')
_VERSION = re.compile(r"[0-9]{1,18}")
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


class Body(BaseModel):
    """Every request body: unknown fields are refused, nothing is converted (`"2"` and `true` are no numbers)."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


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
    if any(isinstance(value, int) and abs(value) >= 2**63 for value in place) or "\x00" in "".join(map(str, place)):
        raise invalid("cursor", "take it as it is from `next_cursor` of the page before")
    return tuple(place)


def etag(version: int) -> str:
    """`7` → `"7"`, with its quotes."""
    return f'"{version}"'


def check_if_match(request: Request, version: int, *, required: bool = False) -> None:
    """Goes on when `If-Match` is absent, `*`, or names this version; else Problem 412 `version_conflict`.

    A malformed header is 422; a missing one is 428 `version_required` when `required`.
    """
    given = ",".join(request.headers.getlist("if-match")).strip()
    if not given:
        if required:
            raise Problem("version_required")
        return
    if given == "*":
        return
    tags = [_ETAG.fullmatch(part.strip()) for part in given.split(",")]
    if not all(tags):
        raise invalid("If-Match", 'allowed are `*` and versions in quotes, such as "7"')
    if str(version) not in [tag.group(1) for tag in tags if tag]:
        raise Problem("version_conflict", headers={"ETag": etag(version)})


def version_seen(request: Request) -> int:
    """The one version that the caller has seen, from `If-Match: "7"`: for acts that nobody may do blindly (O1).

    Problem 428 `version_required` without one or with `*`, 422 when it is not one version.
    """
    given = ",".join(request.headers.getlist("if-match")).strip()
    if given in ("", "*"):
        raise Problem("version_required", param="If-Match")
    tag = _ETAG.fullmatch(given)
    if tag is None or not _VERSION.fullmatch(tag.group(1)):
        raise invalid("If-Match", 'one version in quotes is needed, such as "7"')
    return int(tag.group(1))


def not_modified(request: Request, version: int) -> bool:
    """Does the caller have this version already (`If-None-Match`)? Then the answer is an empty 304."""
    given = ",".join(request.headers.getlist("if-none-match")).strip()
    if given == "*":
        return True
    return str(version) in _ETAG.findall(given)


def preferred_wait(request: Request) -> int:
    """Seconds to wait for a change, from `Prefer: wait=20`: 0 without one or with one that says nothing we know."""
    for preference in ",".join(request.headers.getlist("prefer")).split(","):
        match = _WAIT.fullmatch(preference.partition(";")[0])
        if match:
            return min(int(match.group(1)), LONGEST_WAIT)
    return 0


def idempotency_key(request: Request) -> str | None:
    """The `Idempotency-Key`, None without one; Problem 422 unless it is one header of 1 to 255 printable characters."""
    given = request.headers.getlist("idempotency-key")
    if not given:
        return None
    if len(given) > 1 or _KEY.fullmatch(given[0]) is None:
        raise Problem("idempotency_key_invalid", param="Idempotency-Key")
    return given[0]
