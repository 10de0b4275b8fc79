"""Browser sessions of operators: pages that are logged in at the test shop, with every error of their scripts kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request

from clerk_cli.databases import files_in, open_one
from clerk_cli.services import the_service
from clerk_cli.tests.faults_shop import FaultyShop
from http_api.keys import KeyRing, Role
from http_api.operators import Operators

LIMIT_MS = 20_000
"""How long a test waits for a page: longer than the slowest resend of the test shop takes."""
WIDE, NARROW = 1280, 360
OpenPage = Callable[..., Page]
"""`open_page(role="operator", *, javascript=True, dark=False, width=WIDE)`: a page of a session of its own."""


class BrowserSessions:
    """Sessions of one browser at one shop. Each role logs in once; its later sessions have the same cookie."""

    def __init__(self, browser: Browser, shop: FaultyShop) -> None:
        self.shop = shop
        self._browser = browser
        self._cookies: dict[str, Any] = {}
        self._contexts: list[BrowserContext] = []
        self.errors: list[str] = []

    def open_page(
        self,
        role: Role | None = "operator",
        *,
        javascript: bool = True,
        dark: bool = False,
        width: int = WIDE,
        zone: str = "UTC",
    ) -> Page:
        """A page in a new session, in that time zone; with no role it is not logged in."""
        if role is not None and role not in self._cookies:
            self._cookies[role] = self._log_in(role)
        context = self._context(
            java_script_enabled=javascript,
            color_scheme="dark" if dark else "light",
            viewport={"width": width, "height": 800},
            timezone_id=zone,
            storage_state=self._cookies.get(role or ""),
        )
        self._contexts.append(context)
        return self._watched(context.new_page())

    def close_all(self) -> None:
        """Ends all sessions."""
        while self._contexts:
            self._contexts.pop().close()

    def forgive(self, text: str) -> None:
        """Takes away the errors in which this stands: the test has made them itself."""
        self.errors = [error for error in self.errors if text not in error]

    def _context(self, **options: Any) -> BrowserContext:
        context = self._browser.new_context(base_url=self.shop.url, **options)
        context.set_default_timeout(LIMIT_MS)
        return context

    def _watched(self, page: Page) -> Page:
        page.on("console", self._keep_error)
        page.on("pageerror", lambda error: self.errors.append(f"script: {error}"))
        page.on("request", self._keep_foreign_request)
        return page

    def _keep_error(self, message: ConsoleMessage) -> None:
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.errors.append(f"console: {message.text}")

    def _keep_foreign_request(self, request: Request) -> None:
        if not request.url.startswith((self.shop.url, "data:")):
            self.errors.append(f"asks elsewhere: {request.url}")

    def _log_in(self, role: Role) -> Any:
        name, password = f"{role}-of-the-night", self.add_operator(f"{role}-of-the-night", role)
        context = self._context()
        page = context.new_page()
        log_in(page, name, password)
        state = context.storage_state()
        context.close()
        return state

    def add_operator(self, name: str, role: Role, *, must_change: bool = False) -> str:
        """Makes an operator; returns the password, which with `must_change` is a first one."""
        database = open_one(the_service("shop_manager"), files_in(self.shop.data))
        password, _key = Operators(KeyRing(database)).add_operator(name, role, must_change=must_change)
        database.close()
        return password


def log_in(page: Page, name: str, password: str) -> None:
    page.goto("/dashboard")
    fill_in_login(page, name, password)
    page.wait_for_url("**/dashboard")


def fill_in_login(page: Page, name: str, password: str) -> None:
    """On the login page, wherever it leads."""
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
