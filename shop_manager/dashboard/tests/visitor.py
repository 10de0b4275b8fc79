"""Somebody with a browser that keeps cookies and sends forms as browsers do, at the dashboard of a house."""

from __future__ import annotations

import asyncio
import re
from html.parser import HTMLParser
from typing import Any

import httpx

from doors.keys import KeyRing, Role
from doors.operators import Operators
from shop_manager.tests.house import House

LOGIN = "/dashboard/login"
INLINE = {"a", "strong", "span", "code", "bdi", "time", "b", "kbd", "svg", "path", "circle"}


class Visitor:
    """`origin` is where the dashboard is for this visitor. An answer is given as it is: redirects are not followed."""

    def __init__(self, house: House, origin: str = "http://shop.test", address: str = "203.0.113.7") -> None:
        self.house = house
        self.origin = origin
        self.address = address
        self.cookies = httpx.Cookies()
        self.page = httpx.Response(200)

    def get(self, path: str, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._ask("GET", path, headers=named)

    def post(self, path: str, headers: dict[str, str] | None = None, **fields: Any) -> httpx.Response:
        """A form, with the token of the page that was opened last, from this very origin."""
        form = {"csrf": self.token(), **fields}
        return self._ask("POST", path, data=form, headers={"Origin": self.origin, **(headers or {})})

    def token(self) -> str:
        """The form token of the page that was opened last."""
        found = re.search(r'name="csrf" value="([0-9a-f]+)"', self.page.text)
        return found.group(1) if found else ""

    def text(self, path: str) -> str:
        """What can be read on the page."""
        return words_of(self.get(path).text)

    def logged_in(self, role: Role, name: str = "") -> Visitor:
        name = name or f"{role}-of-the-night"
        password, _key = people(self.house).add_operator(name, role)
        answer = self.logs_in(name, password)
        assert answer.status_code == 303, answer.text
        self.get("/dashboard/keys")
        return self

    def logs_in(self, name: str, password: str, **fields: Any) -> httpx.Response:
        self.get(LOGIN)
        return self.post(LOGIN, name=name, password=password, **fields)

    def _ask(self, method: str, path: str, **words: Any) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.house.app, client=(self.address, 4711))
            async with httpx.AsyncClient(
                transport=transport, base_url=self.origin, cookies=self.cookies, follow_redirects=False
            ) as client:
                answer = await client.request(method, path, **words)
                self.cookies = client.cookies
                return answer

        answer = asyncio.run(ask())
        if "text/html" in answer.headers.get("content-type", ""):
            self.page = answer
        return answer


def people(house: House) -> Operators:
    return Operators(KeyRing(house.database))


def words_of(html: str) -> str:
    """The text of a page, its blanks made one."""
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
