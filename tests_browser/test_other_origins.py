"""A shop's page of another origin calls the API from a real browser: it orders, pays, and follows with a ticket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from clerk_cli.tests.faults_shop import FaultyShop
from clerk_cli.tests.processes import clerk
from tests_browser.browser_sessions import LIMIT_MS

ORDERS = """async shop => {
  const seen = {statuses: [], errors: []};
  const call = async (method, path, body, headers) => {
    const answer = await fetch(shop + path, {method, headers: {"Content-Type": "application/json", ...headers},
                                             body: body && JSON.stringify(body)});
    return [answer, await answer.json()];
  };
  const [opened, session] = await call("POST", "/shop/session", {}, {"Idempotency-Key": crypto.randomUUID()});
  seen.headers = ["Location", "ETag", "Request-Id"].filter(name => opened.headers.get(name) === null);
  const mine = {Authorization: "Bearer " + session.client_secret};
  const self = "/shop/session/" + session.id, cart = "/shop/carts/" + session.id;
  const [, ticket] = await call("POST", self + "/events/ticket", null, mine);
  const events = new EventSource(shop + ticket.href);
  const reached = status => new Promise(resolve => events.addEventListener("session", event => {
    const now = JSON.parse(event.data).status;
    if (seen.statuses.at(-1) !== now) seen.statuses.push(now);
    if (now === status) resolve();
  }));
  const waits = reached("requires_action"), done = reached("completed");
  await call("PUT", cart + "/items/SQUEAKY-BONE", {quantity: 2}, mine);
  const [read] = await call("GET", cart, null, mine);
  await call("POST", cart + "/order", {}, {...mine, "If-Match": read.headers.get("ETag")});
  await waits;
  const [declined, problem] = await call("POST", "/payment/" + session.id, {token: "tok_declined"}, mine);
  seen.errors.push([declined.status, problem.code]);
  await call("POST", "/payment/" + session.id, {token: "tok_ok"}, mine);
  await done;
  const [, last] = await call("GET", self, null, {...mine, Prefer: "wait=1", "Last-Event-ID": "1"});
  seen.status = last.status;
  const [stranger, nobody] = await call("GET", self, null, {Authorization: "Bearer cs_wrong"});
  seen.errors.push([stranger.status, nobody.code]);
  await new Promise(resolve => events.addEventListener("error", () => events.readyState === 2 && resolve()));
  const [again, used] = await call("GET", ticket.href);
  seen.errors.push([again.status, used.code, used.param]);
  return seen;
}"""
OPENS = """async shop => {
  const asked = {method: "POST", headers: {"Content-Type": "application/json"}, body: "{}"};
  try { return (await fetch(shop + "/shop/session", asked)).status; } catch (error) { return error.name; }
}"""
READS_OPERATORS = """async shop => {
  const headers = {Authorization: "Bearer op_1"};
  const ask = path => fetch(shop + path, {headers}).then(found => found.status, error => error.name);
  return await Promise.all([ask("/ops/summary"), ask("/dashboard")]);
}"""


class EmptyPage(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>A shop</title><link rel=icon href='data:,'>")

    def log_message(self, *_said: Any) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Where the shop's pages are; by another name they are of another origin."""
    with ThreadingHTTPServer(("127.0.0.1", 0), EmptyPage) as server:
        serving = Thread(target=server.serve_forever, daemon=True)
        serving.start()
        yield server.server_port
        server.shutdown()
        serving.join()


@pytest.fixture(scope="module")
def open_to_pages(port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a shop that pages of that origin may call."""
    origins = f"https://shop.example,http://127.0.0.1:{port}"
    folder = tmp_path_factory.mktemp("open")
    with clerk("up", "--port", "0", folder=folder, CLERK_ALLOWED_ORIGINS=origins) as running:
        yield running.url


@contextmanager
def page_at(browser: Browser, url: str) -> Iterator[tuple[Page, list[str]]]:
    """A page, and the preflights that the browser sends for it."""
    context = browser.new_context()
    context.set_default_timeout(3 * LIMIT_MS)
    page, preflights = context.new_page(), list[str]()

    def keep(event: Any) -> None:
        if event["request"]["method"] == "OPTIONS":
            preflights.append(event["request"]["headers"].get("Access-Control-Request-Headers", ""))

    network = context.new_cdp_session(page)
    network.on("Network.requestWillBeSent", keep)
    network.send("Network.enable")
    page.goto(url)
    yield page, preflights
    context.close()


def test_a_page_of_an_allowed_origin_orders_pays_and_follows_with_a_ticket(
    browser: Browser, port: int, open_to_pages: str
) -> None:
    with page_at(browser, f"http://127.0.0.1:{port}") as (page, preflights):
        seen = page.evaluate(ORDERS, open_to_pages)
    assert seen["headers"] == [], "headers that the page cannot read"
    assert seen["statuses"][0] == "open" and seen["statuses"][-1] == seen["status"] == "completed", json.dumps(seen)
    assert "requires_action" in seen["statuses"]
    assert seen["errors"] == [[402, "card_declined"], [404, "not_found"], [401, "unauthorized", "ticket"]]
    asked_for = {name for each in preflights for name in each.split(",")}
    assert {"authorization", "content-type", "idempotency-key", "if-match", "last-event-id", "prefer"} <= asked_for


def test_a_page_of_another_origin_and_one_without_the_setting_can_do_nothing(
    browser: Browser, port: int, open_to_pages: str, shop: FaultyShop
) -> None:
    with page_at(browser, f"http://localhost:{port}") as (page, preflights):
        assert page.evaluate(OPENS, open_to_pages) == "TypeError"
    with page_at(browser, f"http://127.0.0.1:{port}") as (page, preflights):
        assert page.evaluate(OPENS, open_to_pages) == 201
        assert page.evaluate(OPENS, shop.url) == "TypeError", "nothing is set there"
        assert len(preflights) == 2


def test_no_page_of_another_origin_reads_the_operators_side(browser: Browser, port: int, open_to_pages: str) -> None:
    with page_at(browser, f"http://127.0.0.1:{port}") as (page, _):
        assert page.evaluate(READS_OPERATORS, open_to_pages) == ["TypeError", "TypeError"]
