"""An HTTP client of the dashboard that keeps cookies and sends forms, as a browser does, for the tests of pages."""

from __future__ import annotations

import asyncio
import re
from html.parser import HTMLParser
from typing import Any

import httpx

from http_api.keys import KeyRing, Role
from http_api.operators import Operators
from shop_manager.tests.http_harness import HttpHarness

LOGIN = "/dashboard/login"
INLINE = {"a", "strong", "span", "code", "bdi", "time", "b", "kbd", "svg", "path", "circle"}


class BrowserClient:
    """`origin` is how this browser addresses the dashboard. Redirects are not followed."""

    def __init__(self, harness: HttpHarness, origin: str = "http://shop.test", address: str = "203.0.113.7") -> None:
        self.harness = harness
        self.origin = origin
        self.address = address
        self.cookies = httpx.Cookies()
        self.page = httpx.Response(200)

    def get(self, path: str, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.request("GET", path, headers=named)

    def post(self, path: str, headers: dict[str, str] | None = None, **fields: Any) -> httpx.Response:
        """A form, with the token of the page that was opened last, from this very origin."""
        form = {"csrf": self.token(), **fields}
        return self.request("POST", path, data=form, headers={"Origin": self.origin, **(headers or {})})

    def token(self) -> str:
        """The form token of the page that was opened last."""
        found = re.search(r'name="csrf" value="([0-9a-f]+)"', self.page.text)
        return found.group(1) if found else ""

    def version(self) -> str:
        """The version in the form of the page that was opened last."""
        found = re.search(r'name="version" value="(\d+)"', self.page.text)
        assert found, "the page has no form with a version"
        return found.group(1)

    def text(self, path: str) -> str:
        """What can be read on the page."""
        return visible_text_of(self.get(path).text)

    def logged_in(self, role: Role, name: str = "") -> BrowserClient:
        name = name or f"{role}-of-the-night"
        password, _key = people(self.harness).add_operator(name, role)
        response = self.logs_in(name, password)
        assert response.status_code == 303, response.text
        self.get("/dashboard/keys")
        return self

    def logs_in(self, name: str, password: str, **fields: Any) -> httpx.Response:
        self.get(LOGIN)
        return self.post(LOGIN, name=name, password=password, **fields)

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.harness.app_at(path), client=(self.address, 4711))
            async with httpx.AsyncClient(
                transport=transport, base_url=self.origin, cookies=self.cookies, follow_redirects=False
            ) as client:
                response = await client.request(method, path, **options)
                self.cookies = client.cookies
                return response

        response = asyncio.run(send())
        if "text/html" in response.headers.get("content-type", ""):
            self.page = response
        return response


def people(harness: HttpHarness) -> Operators:
    return Operators(KeyRing(harness.database))


def visible_text_of(html: str) -> str:
    """The text of a page, with single spaces."""
    reader = _Reader()
    reader.feed(html)
    return " ".join("".join(reader.read).split())


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.read: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in INLINE:
            self.read.append(" ")

    def handle_endtag(self, tag: str) -> None:
        self.handle_starttag(tag, None)

    def handle_data(self, data: str) -> None:
        self.read.append(data)
