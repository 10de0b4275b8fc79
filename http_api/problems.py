"""Every error that our HTTP interfaces answer: the closed list of codes, and the RFC 9457 body that carries one.

`python -m http_api.problems` writes the page docs/errors.md from the same list.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict
from urllib.parse import quote

from http_api.failure_codes import failures_section

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
        415,
        "The body has the wrong type",
        False,
        "Send the body as `Content-Type: application/json`, once, and not compressed.",
    ),
    "body_too_large": Code(413, "The body is too large", False, "A request's body may have 64 KiB: send less."),
    "request_timeout": Code(
        408,
        "The request came too slowly",
        True,
        "Its headers have to arrive within 10 s, its body within 20 s: send it again.",
    ),
    "malformed_request": Code(
        400,
        "That is no HTTP request we take",
        False,
        "Its lines, its headers, or what they say about the body's length are wrong or can be read in two ways.",
    ),
    "headers_too_large": Code(431, "The headers are too large", False, "Together they may have 64 KiB: send less."),
    "card_number_refused": Code(
        422,
        "Card numbers are not taken here",
        False,
        "What `param` names looks like a card number, and nothing of it was kept: `detail` says what to do there.",
    ),
    "unauthorized": Code(
        401,
        "Who is calling is not known",
        False,
        "`detail` says whether the credentials are missing, malformed, unknown, revoked or expired: "
        "send what is needed as `Authorization: Bearer …`.",
    ),
    "forbidden": Code(
        403,
        "This caller may not do that",
        False,
        "The credentials are good, but not for this: `detail` says which are needed, and which came.",
    ),
    "password_change_required": Code(
        403,
        "The password must be changed first",
        False,
        "Somebody else has seen the first password and the key beside it: log in on the dashboard and choose your own "
        "password, then everything opens to you and to your key.",
    ),
    "not_found": Code(
        404,
        "There is nothing here",
        False,
        "No such thing exists, or it is not yours: check the address, and whether the credentials belong to it.",
    ),
    "not_ready_yet": Code(409, "It is not there yet", True, "It is being made: ask again after `Retry-After` seconds."),
    "order_not_placed": Code(
        409,
        "The order has not been placed",
        False,
        "Nothing is to be paid or shipped yet: place the order first, `POST /shop/carts/{session}/order`.",
    ),
    "order_not_paid": Code(
        409,
        "The order has not been paid",
        False,
        "There is no shipment before the order is paid: pay it first, `POST /payment/{session}`.",
    ),
    "customer_unknown": Code(
        404, "The customer is not known", False, "Make the customer first: `PUT /shop/customers/{id}`."
    ),
    "shop_unknown": Code(404, "The shop is not known", False, "Make the shop first: `PUT /shop/shops/{id}`."),
    "method_not_allowed": Code(
        405, "The method is not allowed here", False, "The `Allow` header names the methods this address knows."
    ),
    "article_unknown": Code(
        422,
        "The article is not known",
        False,
        "It is not sold here, or no longer, or not in this session: choose one of `GET /shop/products`. Where a "
        "cart has it, `param` is its line and `current` the cart: take it out.",
    ),
    "cart_empty": Code(
        422,
        "The cart is empty",
        False,
        "Fill it with `PUT /shop/carts/{session}/items/{sku}`, then order.",
    ),
    "card_declined": Code(
        402,
        "The card was declined",
        False,
        "Nothing was charged: send another card's `token` before the deadline.",
    ),
    "payment_in_flight": Code(
        409,
        "Another card is being asked",
        True,
        "This one was not tried: wait for the answer to the other, the session tells it. Sent again after "
        "`Retry-After` seconds it is tried when the other was declined.",
    ),
    "too_many_cards": Code(
        409, "Too many cards were declined", False, "This session takes no further card: open a new one."
    ),
    "too_many_declined": Code(
        429,
        "Too many cards were declined to this address",
        True,
        "Nothing was sent to the provider: wait `Retry-After` seconds; the shop's backend may pay with its key.",
    ),
    "session_ended": Code(
        409, "The session has ended", False, "It was completed, canceled, has expired or failed: open a new session."
    ),
    "past_the_pivot": Code(
        409,
        "The order can no longer be undone",
        False,
        "The money is taken or the goods have left: let it be completed.",
    ),
    "not_allowed_now": Code(
        409, "That is not possible in the present state", False, "Read the resource again: it says what is allowed now."
    ),
    "price_changed": Code(
        409,
        "The total is another one",
        False,
        "Nothing was ordered: show the cart in `current` to the customer, then order with its total.",
    ),
    "out_of_stock": Code(
        409, "There are not so many on hand", False, "Nothing was taken away: `current` is the stock as it is now."
    ),
    "not_to_be_shipped_yet": Code(
        409, "The goods must not leave yet", True, "Nobody has asked to ship them: ship later."
    ),
    "version_conflict": Code(
        412,
        "It has changed meanwhile",
        False,
        "Look at it as it is now (in `current`, or read it), and repeat with the new `ETag` in `If-Match`.",
    ),
    "version_required": Code(428, "The version seen is missing", False, "Send the `ETag` you have read in `If-Match`."),
    "idempotency_key_invalid": Code(
        422, "The Idempotency-Key is not valid", False, "It takes one header of 1 to 255 printable characters."
    ),
    "weak_idempotency_key": Code(
        422,
        "The Idempotency-Key can be guessed",
        False,
        "Without an access key it takes a random UUID, or 22 random characters of base64 or hex: make one.",
    ),
    "idempotency_conflict": Code(
        422,
        "The Idempotency-Key or reference was used for another body",
        False,
        "Use a new one for a new request, or send the first body again.",
    ),
    "idempotency_in_flight": Code(
        409, "The first request is still running", True, "Send the same request again after `Retry-After` seconds."
    ),
    "too_many_sessions": Code(
        429,
        "Too many guests' sessions from one address",
        True,
        "End sessions that are open, or wait `Retry-After` seconds; the shop's backend may open more with its key.",
    ),
    "client_secret_gone": Code(
        409,
        "The client secret can no longer be shown",
        False,
        "The session is open, but the shop has a new master secret since: open another one with a new key.",
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

_RETRY_AFTER = {503: 2, 429: 1, 409: 1}
"""Whole seconds for `Retry-After`, by status, where whoever raises a retryable problem names none."""


class WrongField(TypedDict):
    """`param`: a JSONPath such as `$.items[0].quantity`, or the name of a header, query or path parameter."""

    param: str
    detail: str


class Problem(Exception):
    """A response that is an error. `code` is one of CODES; `detail` is one sentence for the client, without secrets.

    `param` is a JSONPath or a parameter's name; `retry_after` whole seconds, of a retryable code only, else ValueError;
    `headers` are sent with it. `current` is the resource as it is now, where the client has seen another one.
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
        current: Mapping[str, Any] | None = None,
    ) -> None:
        known = CODES[code]
        super().__init__(f"{code}: {detail or known.title}")
        self.code = code
        self.known = known
        self.detail = detail or known.meaning
        self.param = param
        self.session_id = session_id
        self.errors = list(errors)
        self.current = current
        self.headers = dict(headers or {})
        if retry_after is None and known.retryable:
            retry_after = _RETRY_AFTER.get(known.status)
        elif retry_after is not None and not known.retryable:
            raise ValueError(f"{code} is not retryable, so it has no Retry-After")
        if retry_after is not None:
            self.headers["Retry-After"] = str(max(1, retry_after))
        if known.status == 401:
            self.headers.setdefault("WWW-Authenticate", "Bearer")

    @property
    def in_body(self) -> bool:
        """Is it about something in the request's body?"""
        return (self.param or "").startswith("$")

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
        if self.current is not None:
            body["current"] = self.current
        return body


def not_found() -> Problem:
    """The one 404 for a foreign and for an unknown id: they cannot be told apart (security S1)."""
    return Problem("not_found")


def invalid(param: str, detail: str) -> Problem:
    """One wrong field or parameter."""
    return Problem("invalid_request", f"{param}: {detail}", param=param, errors=[{"param": param, "detail": detail}])


def as_page() -> str:
    """docs/errors.md: one section a code, in the order of CODES, so that `type` links into it; then the failures."""
    lines = [
        "# Errors",
        "",
        "Generated by `python -m http_api.problems`; do not edit.",
        "",
        f"Every error is `{MEDIA_TYPE}` (RFC 9457): `type`, `title`, `status`, `detail`, `instance`, and `code`",
        "(closed list below), `param` (JSONPath into the body, or the name of a header, query or path parameter),",
        "`retryable` (the same request may succeed later), `session_id`, `request_id`. An `invalid_request` also has",
        "`errors: [{param, detail}]`, which names every wrong field, a `card_number_refused` the first one; where the",
        "client has seen another version or total, `current` is the resource as it is now. Business results are not",
        "errors.",
    ]
    for name, code in CODES.items():
        again = "yes" if code.retryable else "no"
        lines += ["", f"## {name}", "", f"**{code.status}** {code.title}. Retryable: {again}.", "", code.meaning]
    return "\n".join([*lines, "", *failures_section()]) + "\n"


if __name__ == "__main__":
    sys.stdout.write(as_page())
