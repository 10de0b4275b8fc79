"""The guards between the Frame and the application: the caller's rate, card numbers anywhere, and the body's shape."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from urllib.parse import unquote_plus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from doors import request as requests
from doors import strict_json
from doors.answering import answer
from doors.cards import find_card_number, may_hold_card
from doors.limits import Buckets, Limits
from doors.problems import Problem

_DRAIN = 8 * 1024 * 1024
"""Bytes of a refused body that are read and dropped: a caller who is still sending would not see our answer."""


class RateGuard:
    """Counts by key when the key is known to be good, else by the client's address; health is never limited.

    `known(token)` says, without I/O, whether the token was verified lately: an invented key buys no bucket of its own.
    `clock` gives seconds.
    """

    def __init__(self, app: ASGIApp, limits: Limits, known: Callable[[str], bool], clock: Callable[[], float]) -> None:
        self.app = app
        self.limits = limits
        self.known = known
        self.clock = clock
        self.buckets = Buckets(limits.callers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not _path(scope).startswith("/health/"):
            wait = self._wait(scope)
            if wait:
                await answer(Problem("too_many_requests", retry_after=wait), scope, receive, send)
                return
        await self.app(scope, receive, send)

    def _wait(self, scope: Scope) -> int:
        now = self.clock()
        try:
            token = requests.bearer(scope)
        except ValueError:
            token = None
        if token is not None and self.known(token):
            name = hashlib.sha256(token.encode()).hexdigest()
            return self.buckets.take(f"key:{name}", self.limits.authenticated, now)
        where = requests.address(scope)
        wait = self.buckets.take(f"address:{where}", self.limits.anonymous, now)
        if not wait and token is None and scope["method"] == "POST" and _path(scope) == "/shop/session":
            wait = self.buckets.take(f"open:{where}", self.limits.open_session, now)
        return wait


class CardGuard:
    """Refuses card numbers in path, query and headers, before anybody can keep or log them (security S12)."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            problem = Problem("card_number_refused") if _head_holds_card(scope) else _unclean_address(scope)
            if problem is not None:
                await answer(problem, scope, receive, send)
                return
        await self.app(scope, receive, send)


class BodyGuard:
    """Takes the whole body in, counted on the stream and within a time limit, and lets only our JSON pass.

    Below one of the `forms_under` paths HTML forms are taken too. The application then reads the body from memory.
    """

    def __init__(self, app: ASGIApp, limits: Limits, forms_under: Sequence[str] = ()) -> None:
        self.app = app
        self.limits = limits
        self.forms_under = tuple(forms_under)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _has_body(scope):
            await self.app(scope, receive, send)
            return
        try:
            async with asyncio.timeout(self.limits.body_seconds):
                body = await _whole_body(receive, self.limits.body)
            if body is None:
                return  # the caller has gone
            self._check(scope, body)
        except TimeoutError:
            await answer(Problem("request_timeout", headers={"Connection": "close"}), scope, receive, send)
        except Problem as problem:
            await answer(problem, scope, receive, send)
        else:
            await self.app(scope, _replay(body, receive), send)

    def _check(self, scope: Scope, body: bytes) -> None:
        if not body:
            return
        kind = (requests.single_header(scope, b"content-type") or "application/json").partition(";")[0].strip().lower()
        if kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json")):
            _check_json(body)
        elif kind == "application/x-www-form-urlencoded" and _path(scope).startswith(self.forms_under):
            if _text_holds_card(body):
                raise Problem("card_number_refused")
        else:
            raise Problem("unsupported_media_type")


def _check_json(body: bytes) -> None:
    try:
        value = strict_json.read(body)
    except strict_json.NotOurJson as wrong:
        if _text_holds_card(body):
            raise Problem("card_number_refused") from None
        raise Problem("invalid_json", f"The body is refused: {wrong}.", param="$") from None
    if may_hold_card(body) and strict_json.holds_card_number(value):
        raise Problem("card_number_refused")


async def _whole_body(receive: Receive, most: int) -> bytes | None:
    """The body; None when the caller left in between; Problem 413 when it is longer than `most` bytes."""
    chunks: list[bytes] = []
    size = 0
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunk = message.get("body", b"")
        size += len(chunk)
        if size <= most:
            chunks.append(chunk)
        elif size > _DRAIN:
            break
        more = message.get("more_body", False)
    if size > most:
        raise Problem("body_too_large", f"The body has more than {most} bytes.", headers={"Connection": "close"})
    return b"".join(chunks)


def _replay(body: bytes, receive: Receive) -> Receive:
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def _has_body(scope: Scope) -> bool:
    for name, value in scope["headers"]:
        if name == b"transfer-encoding" or (name == b"content-length" and value.strip(b" 0") != b""):
            return True
    return False


def _path(scope: Scope) -> str:
    """The path below where the application is mounted."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", "")) or "/"


def _head_holds_card(scope: Scope) -> bool:
    # `traceparent` is left to `taken_traceparent`: a random span id may look like a card, and is then not carried on.
    parts = [part for header in scope["headers"] if header[0] != b"traceparent" for part in header]
    parts.append(scope["query_string"])
    if find_card_number(scope["path"]):
        return True
    return may_hold_card(b"\0".join(parts)) and any(_text_holds_card(part) for part in parts)


def _text_holds_card(raw: bytes) -> bool:
    if not may_hold_card(raw):
        return False
    text = requests.header_text(raw)
    return find_card_number(text) or find_card_number(unquote_plus(text))


def _unclean_address(scope: Scope) -> Problem | None:
    """A NUL in an address names nothing, and no database takes one."""
    if "\x00" in scope["path"]:
        return Problem("not_found")
    if b"%00" in scope["query_string"]:
        return Problem("invalid_request", "The query holds a NUL character.")
    return None
