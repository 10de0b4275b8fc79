"""Every error our HTTP interfaces can answer: the closed list of codes, and the RFC 9457 body that carries one.

`python -m doors.problems` writes the page docs/errors.md from the same list.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict
from urllib.parse import quote

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Code:
    """`retryable` says whether the very same request may succeed later."""

    status: int
    title: str
    retryable: bool
    meaning: str


CODES: Mapping[str, Code] = {
    "invalid_request": Code(
        422, "The request is not valid", False, "`errors` names every wrong field and what is allowed: correct them."
    ),
    "invalid_json": Code(
        422,
        "The body is not JSON we take",
        False,
        "It is malformed, says a key twice, holds NaN, a NUL or an endless number, or is nested deeper than 50.",
    ),
    "unsupported_media_type": Code(
        415, "The body has the wrong type", False, "Send the body as `Content-Type: application/json`."
    ),
    "body_too_large": Code(413, "The body is too large", False, "A request's body may have 64 KiB: send less."),
    "request_timeout": Code(
        408, "The body came too slowly", True, "The whole body has to arrive within the time limit: send it again."
    ),
    "card_number_refused": Code(
        422,
        "Card numbers are not taken here",
        False,
        "Something in the request looks like a card number; nothing of it was kept: send the provider's token instead.",
    ),
    "unauthorized": Code(
        401,
        "Who is calling is not known",
        False,
        "The credentials are missing, malformed, unknown or revoked: send `Authorization: Bearer` with a live key.",
    ),
    "forbidden": Code(
        403, "This caller may not do that", False, "The key is good, but not for this: use one of the right scope."
    ),
    "not_found": Code(
        404, "There is nothing here", False, "No such thing exists, or it is not yours: check the address and the key."
    ),
    "not_ready_yet": Code(404, "It is not there yet", True, "It is being made: ask again after `Retry-After` seconds."),
    "customer_unknown": Code(
        404, "The customer is not known", False, "Make the customer first: `PUT /shop/customers/{id}`."
    ),
    "shop_unknown": Code(404, "The shop is not known", False, "Make the shop first: `PUT /shop/shops/{id}`."),
    "method_not_allowed": Code(
        405, "The method is not allowed here", False, "The `Allow` header names the methods this address knows."
    ),
    "article_unknown": Code(
        422, "The article is not known", False, "The shop has no such article, or no longer: choose one that it lists."
    ),
    "cart_empty": Code(422, "The cart is empty", False, "Put something into the cart, then place the order."),
    "card_declined": Code(
        402, "The card was declined", False, "Nothing was charged: try another card before the step's deadline."
    ),
    "session_ended": Code(
        409, "The session has ended", False, "It was completed, canceled, has expired or failed: open a new session."
    ),
    "past_the_pivot": Code(
        409, "The order can no longer be undone", False, "The money has been taken: ask the shop for a return instead."
    ),
    "not_allowed_now": Code(
        409, "That is not possible in the present state", False, "Read the resource again: it says what is allowed now."
    ),
    "not_to_be_shipped_yet": Code(
        409, "The goods must not leave yet", True, "Nobody has asked to ship them: ship later."
    ),
    "version_conflict": Code(
        412, "It has changed meanwhile", False, "Read it again, and repeat with the new `ETag` in `If-Match`."
    ),
    "version_required": Code(428, "The version seen is missing", False, "Send the `ETag` you have read in `If-Match`."),
    "idempotency_key_invalid": Code(
        422, "The Idempotency-Key is not valid", False, "It takes one header of 1 to 255 printable characters."
    ),
    "idempotency_conflict": Code(
        422,
        "The Idempotency-Key was used for another body",
        False,
        "Use a new key for a new request, or send the first body again.",
    ),
    "idempotency_in_flight": Code(
        409, "The first request is still running", True, "Send the same request again after `Retry-After` seconds."
    ),
    "too_many_requests": Code(429, "Too fast", True, "Wait `Retry-After` seconds, then go on more slowly."),
    "database_unavailable": Code(
        503, "The database cannot be reached", True, "Nothing was done: send it again after `Retry-After` seconds."
    ),
    "broker_unavailable": Code(
        503, "The broker cannot be reached", True, "Nothing was done: send it again after `Retry-After` seconds."
    ),
    "service_unavailable": Code(503, "A service cannot be reached", True, "Send it again after `Retry-After` seconds."),
    "overloaded": Code(
        503, "Too much to do at the moment", True, "Nothing was done: send it again after `Retry-After` seconds."
    ),
    "internal": Code(
        500, "Something broke on our side", True, "Tell us the `request_id`; with an Idempotency-Key repeating is safe."
    ),
}

_RETRY_AFTER = {503: 2, 429: 1, 409: 1, 404: 1}
"""Whole seconds that a retryable answer names when its raiser did not."""


class WrongField(TypedDict):
    """`param`: a JSONPath such as `$.items[0].quantity`, or the name of a header, query or path parameter."""

    param: str
    detail: str


class Problem(Exception):
    """An answer that is an error. `code` is one of CODES; `detail` one sentence for the caller, without secrets.

    `param` is a JSONPath or a parameter's name; `retry_after` whole seconds; `headers` go out with the answer.
    """

    def __init__(
        self,
        code: str,
        detail: str = "",
        *,
        param: str | None = None,
        session_id: str | None = None,
        retry_after: int | None = None,
        headers: Mapping[str, str] | None = None,
        errors: Sequence[WrongField] = (),
    ) -> None:
        known = CODES[code]
        super().__init__(f"{code}: {detail or known.title}")
        self.code = code
        self.known = known
        self.detail = detail or known.meaning
        self.param = param
        self.session_id = session_id
        self.errors = list(errors)
        self.headers = dict(headers or {})
        if retry_after is None and known.retryable:
            retry_after = _RETRY_AFTER.get(known.status)
        if retry_after is not None:
            self.headers["Retry-After"] = str(max(1, retry_after))
        if known.status == 401:
            self.headers.setdefault("WWW-Authenticate", "Bearer")

    def body(self, request_id: str) -> dict[str, Any]:
        """The RFC 9457 object. `instance` names the request, not its path, which may hold a secret."""
        body: dict[str, Any] = {
            "type": f"/docs/errors#{self.code}",
            "title": self.known.title,
            "status": self.known.status,
            "detail": self.detail,
            "instance": f"urn:clerk:request:{quote(request_id, safe='')}",
            "code": self.code,
            "param": self.param,
            "retryable": self.known.retryable,
            "session_id": self.session_id,
            "request_id": request_id,
        }
        if self.errors:
            body["errors"] = self.errors
        return body


def not_found() -> Problem:
    """The one 404 for a foreign and for an unknown id: they cannot be told apart (security S1)."""
    return Problem("not_found")


def invalid(param: str, detail: str) -> Problem:
    """One wrong field or parameter."""
    return Problem("invalid_request", f"{param}: {detail}", param=param, errors=[{"param": param, "detail": detail}])


def as_page() -> str:
    """docs/errors.md: one section a code, in the order of CODES, so that `type` links into it."""
    lines = [
        "# Errors",
        "",
        "Generated by `python -m doors.problems`; do not edit.",
        "",
        f"Every error is `{MEDIA_TYPE}` (RFC 9457): `type`, `title`, `status`, `detail`, `instance`, and `code`",
        "(closed list below), `param` (JSONPath into the body, or the name of a header, query or path parameter),",
        "`retryable` (the same request may succeed later), `session_id`, `request_id`. An `invalid_request` also has",
        "`errors: [{param, detail}]`, which names every wrong field. Business results are not errors.",
    ]
    for name, code in CODES.items():
        again = "yes" if code.retryable else "no"
        lines += ["", f"## {name}", "", f"**{code.status}** {code.title}. Retryable: {again}.", "", code.meaning]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(as_page())
