"""A place at a browser, logged in: pages open relative to the shop, and whatever goes wrong in them is kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request

from clerk_cli.databases import files_in, open_one
from clerk_cli.services import the_service
from clerk_cli.tests.faults_shop import FaultyShop
from doors.keys import KeyRing, Role
from doors.operators import Operators

LIMIT_MS = 20_000
"""For whatever a page is to show, or to let one do: longer than the slowest resend of the test shop takes."""
WIDE, NARROW = 1280, 360
Seat = Callable[..., Page]
"""`seat(role="operator", *, javascript=True, dark=False, width=WIDE)` → a page of a browser of its own."""


class Seats:
    """Seats in one browser at one shop. Each role logs in once, and its later seats have the same cookie."""

    def __init__(self, browser: Browser, shop: FaultyShop) -> None:
        self.shop = shop
        self._browser = browser
        self._cookies: dict[str, Any] = {}
        self._contexts: list[BrowserContext] = []
        self.troubles: list[str] = []

    def take(
        self, role: Role | None = "operator", *, javascript: bool = True, dark: bool = False, width: int = WIDE
    ) -> Page:
        """A page; with a role it is logged in, without one it is nobody's."""
        if role is not None and role not in self._cookies:
            self._cookies[role] = self._log_in(role)
        context = self._context(
            java_script_enabled=javascript,
            color_scheme="dark" if dark else "light",
            viewport={"width": width, "height": 800},
            storage_state=self._cookies.get(role or ""),
        )
        self._contexts.append(context)
        return self._watched(context.new_page())

    def leave(self) -> None:
        """Everybody gets up."""
        while self._contexts:
            self._contexts.pop().close()

    def _context(self, **more: Any) -> BrowserContext:
        context = self._browser.new_context(base_url=self.shop.url, **more)
        context.set_default_timeout(LIMIT_MS)
        return context

    def _watched(self, page: Page) -> Page:
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.troubles.append(f"script: {error}"))
        page.on("request", self._request)
        return page

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.troubles.append(f"console: {message.text}")

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self.shop.url, "data:")):
            self.troubles.append(f"asks elsewhere: {request.url}")

    def _log_in(self, role: Role) -> Any:
        name, password = f"{role}-of-the-night", self.person(f"{role}-of-the-night", role)
        context = self._context()
        page = context.new_page()
        log_in(page, name, password)
        state = context.storage_state()
        context.close()
        return state

    def person(self, name: str, role: Role) -> str:
        """Makes an operator; returns the password."""
        database = open_one(the_service("shop_manager"), files_in(self.shop.data))
        password, _key = Operators(KeyRing(database)).add_operator(name, role)
        database.close()
        return password


def log_in(page: Page, name: str, password: str) -> None:
    page.goto("/dashboard")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/dashboard")
