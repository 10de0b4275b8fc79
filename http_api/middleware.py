"""The ASGI middleware inside RequestContextMiddleware: rate limits, card numbers, and the body's size and form."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from http_api import request as requests
from http_api import strict_json
from http_api.card_numbers import find_card_number, may_hold_card
from http_api.card_search import as_text, head_holds_card, json_holds_card, parameters_hold_card
from http_api.card_whereabouts import Place, in_head, in_json, in_parameters, refused
from http_api.problem_response import problem_response
from http_api.problems import Problem
from http_api.rate_limits import NETWORK_FACTOR, Buckets, Limits, Rate

_DRAIN = 8 * 1024 * 1024
"""Bytes of a refused body that are read and dropped: a client that is still sending would not see our response."""


class RateLimitMiddleware:
    """Counts by key when the key is known to be good, else by where the call comes from; health is never limited.

    `known(token)` says, without I/O, whether the token was verified lately: an invented key buys no bucket of its own.
    `clock` gives seconds.
    """

    def __init__(self, app: ASGIApp, limits: Limits, known: Callable[[str], bool], clock: Callable[[], float]) -> None:
        self.app = app
        self.limits = limits
        self.known = known
        self.clock = clock
        self.buckets = Buckets(limits.clients)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not _path(scope).startswith("/health/"):
            wait = self._wait(scope)
            if wait:
                await problem_response(Problem("too_many_requests", retry_after=wait), scope, receive, send)
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
        origin = requests.origin(scope)
        wait = self._take("address", origin, self.limits.anonymous, now)
        if not wait and _opens_guest_session(scope, token):
            wait = self._take("open", origin, self.limits.open_session, now)
        return wait

    def _take(self, what: str, origin: requests.Origin, rate: Rate, now: float) -> int:
        wait = self.buckets.take(f"{what}:{origin.address}", rate, now)
        if not wait and origin.network != origin.address:
            wait = self.buckets.take(f"{what}:{origin.network}", rate.times(NETWORK_FACTOR), now)
        return wait


class CardNumberMiddleware:
    """Refuses card numbers in path, query and headers, before anybody can keep or log them (security S12)."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        find_card_number("é")  # makes the table of all scripts' digits now, so that no request waits for it

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            head = scope["headers"], _path(scope), scope["query_string"]
            if head_holds_card(*head):
                await problem_response(refused(in_head(*head)), scope, receive, send)
                return
        await self.app(scope, receive, send)


class BodyMiddleware:
    """Reads the whole body, within limits of size (counted on the stream) and time, and lets only valid JSON pass.

    Below one of the `forms_under` paths HTML forms pass too. The application then reads the body from memory.
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
            if _waits_to_be_asked(scope):
                self._check_announced(scope)
            async with asyncio.timeout(self.limits.body_seconds):
                body = await _whole_body(receive, self.limits.body)
            if body is None:
                return  # the client has gone
            if body:
                self._check(scope, body)
        except TimeoutError:
            await problem_response(Problem("request_timeout", headers={"Connection": "close"}), scope, receive, send)
        except Problem as problem:
            await problem_response(problem, scope, receive, send)
        else:
            await self.app(scope, _replay(body, receive), send)

    def _check_announced(self, scope: Scope) -> None:
        """Refuses by its headers alone a body that the client has not sent yet, and now need not (`Expect`)."""
        length = int(requests.single_header(scope, b"content-length") or 0)
        try:
            if length > self.limits.body:
                raise _too_large(self.limits.body)
            self._is_json(scope)
        except Problem as problem:
            problem.headers["Connection"] = "close"
            raise

    def _check(self, scope: Scope, body: bytes) -> None:
        if self._is_json(scope):
            check_json(body)
        elif parameters_hold_card(body):
            raise refused(in_parameters(body))

    def _is_json(self, scope: Scope) -> bool:
        """Is the body JSON? False: an HTML form. Problem 415 for anything else, and for what is compressed."""
        encodings = [value.strip().lower() for name, value in scope["headers"] if name == b"content-encoding"]
        if any(encoding not in (b"", b"identity") for encoding in encodings):
            raise Problem(
                "unsupported_media_type",
                "The body is compressed; send it as it is.",
                headers={"Accept-Encoding": "identity"},
            )
        kinds = [requests.header_text(value) for name, value in scope["headers"] if name == b"content-type"]
        if len(kinds) > 1:
            raise Problem("unsupported_media_type", "Content-Type comes twice.")
        kind = "".join(kinds).partition(";")[0].strip().lower() or "application/json"
        if kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json")):
            return True
        if kind == "application/x-www-form-urlencoded" and _path(scope).startswith(self.forms_under):
            return False
        raise Problem("unsupported_media_type")


def check_json(body: bytes) -> None:
    try:
        value = strict_json.read(body)
    except strict_json.StrictJsonError as wrong:
        if may_hold_card(body) and find_card_number(as_text(body), "behind"):
            raise refused(Place("$")) from None
        raise Problem("invalid_json", f"The body is refused: {wrong}.", param="$") from None
    if may_hold_card(body) and json_holds_card(value):
        raise refused(in_json(strict_json.read(body)))


async def _whole_body(receive: Receive, most: int) -> bytes | None:
    """The body; None when the client left before its end; Problem 413 when it is longer than `most` bytes."""
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
        raise _too_large(most)
    return b"".join(chunks)


def _too_large(most: int) -> Problem:
    return Problem("body_too_large", f"The body has more than {most} bytes.", headers={"Connection": "close"})


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


def _waits_to_be_asked(scope: Scope) -> bool:
    """Does the client send its body only when it is told to go on?"""
    return any(name == b"expect" and value.strip().lower() == b"100-continue" for name, value in scope["headers"])


def _path(scope: Scope) -> str:
    """The path below where the application is mounted."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", "")) or "/"


def _opens_guest_session(scope: Scope, token: str | None) -> bool:
    """Does nobody open a session, or a customer, whose secret is not looked at there?"""
    return scope["method"] == "POST" and _path(scope) == "/shop/session" and (token is None or token.startswith("cs_"))
