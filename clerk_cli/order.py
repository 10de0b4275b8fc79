"""`clerk order`: places an order over the API and, when asked to, follows it to its end."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import typer

from clerk_cli.client import ApiClient, credentials_in, url_for
from clerk_cli.errors import CliError
from clerk_cli.order_items import read_items
from clerk_cli.order_shown import ENDS, summary, watched
from clerk_cli.terminal import console, print_json

PATIENCE = 30.0
"""Seconds that a shop may be away while we watch."""


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """What was typed: `SKU=QTY` words, a customer's id (None: a guest), a payment token, a shop (None: the usual)."""

    items: Sequence[str]
    customer: str | None
    token: str
    shop: str | None

    def as_request(self) -> dict[str, Any]:
        """The body of POST /shop/session."""
        body: dict[str, Any] = {"items": read_items(self.items), "payment": {"token": self.token}}
        named = {"customer": self.customer, "shop": self.shop}
        return body | {name: value for name, value in named.items() if value is not None}


def run_order(order: OrderRequest, *, watch: bool, url: str | None, data: Path | None, as_json: bool) -> None:
    """Place the order and print it; exits 1 when it was watched and did not complete."""
    request, shop_url = order.as_request(), url_for(url, data)
    key = credentials_in(data, "a named customer needs the server key").server_key if order.customer else None
    opened = ApiClient(shop_url, key).call(
        "POST", "/shop/session", json=request, headers={"Idempotency-Key": f"cli-{uuid.uuid4()}"}
    )
    if not watch:
        _print(opened, as_json)
        return
    versions = follow(ApiClient(shop_url, opened["client_secret"]), opened)
    last = _last(versions) if as_json else watched(versions)
    if as_json:
        print_json({**last, "client_secret": opened["client_secret"]})
    if last["status"] != "completed":
        raise typer.Exit(1)


def follow(api: ApiClient, session: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every version of the session from this one to its end, as it comes; a broken stream is opened again."""
    yield session
    seen, since = session, time.monotonic()
    while seen["status"] not in ENDS:
        try:
            for version in _events(api, seen):
                seen, since = version, time.monotonic()
                yield seen
        except httpx.HTTPError as error:
            if time.monotonic() - since > PATIENCE:
                raise api.unreachable(error) from None
        if seen["status"] not in ENDS:
            time.sleep(0.2)


def _events(api: ApiClient, session: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The server-sent events after this version."""
    headers = {"Accept": "text/event-stream", "Last-Event-ID": str(session["version"])}
    with api.stream(f"/shop/session/{session['id']}/events", headers) as response:
        for line in response.iter_lines():
            if line.startswith("data:"):
                yield _session(line.removeprefix("data:"))


def _session(text: str) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except ValueError:
        content = None
    if not isinstance(content, dict) or not {"id", "status", "version"} <= content.keys():
        raise CliError("the shop's stream of events cannot be read")
    return content


def _last(versions: Iterator[dict[str, Any]]) -> dict[str, Any]:
    last: dict[str, Any] = {}
    for last in versions:  # noqa: B007  # the last one is what we want
        pass
    return last


def _print(session: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(session)
    else:
        console().print(summary(session))
