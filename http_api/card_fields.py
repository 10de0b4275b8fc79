"""Which fields hold identifiers: to change what is refused where, this is the place. Pure (security S12).

Identifiers (an article's number, a parcel's, an order's, ids) are often as long as a card's number, so there only what
is exactly one is refused. Everywhere else somebody could type a card number: in names, notes, reasons, addresses,
e-mails, metadata, payment tokens, and in all that is not named here. There it is found inside of longer digits too.
What both rules are: `http_api/card_numbers.py`; why there are two: docs/decisions/051.
"""

from __future__ import annotations

import re

BODY = frozenset(
    {
        "carrier",
        "clerk",
        "client_reference",
        "customer",
        "cursor",
        "id",
        "key",
        "reference",
        "session",
        "shop",
        "sku",
        "tracking",
    }
)
"""Fields of a JSON body, directly in it. Below `metadata` or `shipping_address` the same names are not identifiers."""
BODY_LISTS = frozenset({"ids"})
"""Fields of a JSON body that are lists of identifiers."""
BODY_OBJECTS = {"filter": frozenset({"client_reference", "customer", "process", "service", "shop", "step"})}
"""Objects in a JSON body, with their fields that are identifiers."""
BODY_OBJECT_LISTS = {"items": frozenset({"sku"})}
"""Lists of objects in a JSON body, with the fields of each that are identifiers."""

PARAMETERS = frozenset(
    {
        "client_reference", "code", "csrf", "cursor", "customer", "id", "next", "pick", "process", "q", "query",
        "reference", "seen", "service", "session", "shop", "sku", "step", "target", "v", "version",
    }
)  # fmt: skip
"""Parameters of a query, and fields of the dashboard's forms."""

PATHS = (
    "/shop/session/{session}",
    "/shop/session/{session}/{what}",
    "/shop/session/{session}/events/ticket",
    "/shop/customers/{customer}",
    "/shop/shops/{shop}",
    "/shop/products/{sku}",
    "/shop/carts/{session}",
    "/shop/carts/{session}/order",
    "/shop/carts/{session}/items/{sku}",
    "/risk/customers/{customer}",
    "/payment/{session}",
    "/fulfillment/{session}",
    "/fulfillment/{session}/ship",
    "/fulfillment/stock/{sku}",
    "/fulfillment/stock/{sku}/adjust",
    "/ops/alerts/{alert}/again",
    "/ops/customers/{customer}",
    "/ops/clerks/{clerk}",
    "/ops/clerks/{clerk}/{what}",
    "/ops/parked/{parked}",
    "/ops/parked/{parked}/actions",
    "/ops/bulk/{bulk}",
    "/ops/bulk/{bulk}/{move}",
    "/ops/keys/{key}/actions",
    "/dashboard/alerts/{alert}/again",
    "/dashboard/customers/{customer}",
    "/dashboard/customers/{customer}/forget",
    "/dashboard/clerks/{clerk}",
    "/dashboard/clerks/{clerk}/actions",
    "/dashboard/clerks/{clerk}/claim",
    "/dashboard/parked/{parked}",
    "/dashboard/parked/{parked}/actions",
    "/dashboard/bulk/{bulk}",
    "/dashboard/bulk/{bulk}/{move}",
    "/dashboard/people/keys/{key}/actions",
)
"""Paths with identifiers in braces. Of all other paths every part is looked at like a text."""

HEADERS = frozenset(
    {
        b"forwarded", b"host", b"idempotency-key", b"if-match", b"if-modified-since", b"if-none-match",
        b"last-event-id", b"origin", b"provider-signature", b"referer", b"request-id", b"user-agent", b"via",
        b"x-forwarded-for", b"x-forwarded-host", b"x-real-ip",
    }
)  # fmt: skip
"""Headers that hold identifiers, or what browsers and proxies put into them."""

NEVER_KEPT = frozenset(
    {
        b"b3", b"baggage", b"cookie", b"correlation-id", b"elastic-apm-traceparent", b"newrelic", b"sentry-trace",
        b"traceparent", b"tracestate", b"uber-trace-id", b"x-amzn-trace-id", b"x-cloud-trace-context",
        b"x-correlation-id", b"x-datadog-parent-id", b"x-datadog-trace-id", b"x-request-id", b"x-trace-id",
    }
)  # fmt: skip
"""Headers that are not looked at, for they are neither stored nor logged: traces and cookies are made at random.

Of them `traceparent` is carried on, and only when it holds nothing like a card number: else a new trace begins
(`http_api/request.py`).
"""
_NEVER_KEPT_BEGINNINGS = (b"x-b3-", b"ot-tracer-", b"uberctx-")

STORED = BODY | {
    "calling", "capture_step", "causation", "digest", "hash", "ids", "in_reply_to", "key_id", "message", "parked",
    "payment", "process", "query", "queue", "reference", "routing_key", "scope", "secret_sha256", "step", "target",
    "traceparent",
}  # fmt: skip
"""Columns of the databases, and fields of the JSON in them, that hold identifiers."""
FREE = frozenset({"metadata", "shipping_address"})
"""Fields whose whole content is the client's own, whatever the names in it."""

_PATHS = re.compile("|".join(re.sub(r"\{\w+\}", "([^/]+)", path) for path in PATHS))


def is_never_kept(header: bytes) -> bool:
    """`header` is its name in lower case."""
    return header in NEVER_KEPT or header.startswith(_NEVER_KEPT_BEGINNINGS)


def ids_in_path(path: str) -> list[str] | None:
    """The identifiers in a path; None for a path that is not in PATHS."""
    match = _PATHS.fullmatch(path)
    return None if match is None else [part for part in match.groups() if part is not None]
