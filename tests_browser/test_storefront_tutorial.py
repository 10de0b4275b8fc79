"""docs/tutorial/storefront.md in a real browser: its files, served from another origin, and what one sees there."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.pages import DOCS, URL_ON_PAGES, clerk_up, files

STOREFRONT = (DOCS / "tutorial" / "storefront.md").read_text()


@pytest.fixture(scope="module")
def storefront(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the storefront of the page is, with a shop that allows it."""
    folder = tmp_path_factory.mktemp("storefront")
    handler = partial(SimpleHTTPRequestHandler, directory=folder)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        origin = f"http://127.0.0.1:{server.server_port}"
        with clerk_up(tmp_path_factory.mktemp("shop"), variables={"CLERK_ALLOWED_ORIGINS": origin}) as shop:
            _write(folder, shop)
            Thread(target=server.serve_forever, daemon=True).start()
            yield origin
            server.shutdown()


def _write(folder: Path, shop: str) -> None:
    for name, content in files(STOREFRONT).items():
        (folder / name).write_text(content.replace(URL_ON_PAGES, shop))


@pytest.fixture
def page(browser: Browser, storefront: str) -> Iterator[Page]:
    """The storefront, in a tab of its own; no script may fail."""
    with browser.new_context() as context:
        page = context.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(storefront)
        yield page
        assert errors == []


def orders(page: Page, bones: int) -> None:
    for number in range(1, bones + 1):
        page.get_by_role("button", name="Squeaky bone").click()
        expect(page.locator("#cart")).to_contain_text(f"{number} × Squeaky bone")
    page.get_by_role("button", name="Place the order").click()
    expect(page.locator("#status")).to_have_text("Please pay.")


def pays(page: Page, token: str) -> None:
    page.get_by_label("Payment token").fill(token)
    page.get_by_role("button", name="Pay").click()


def test_two_bones_are_ordered_and_paid(page: Page) -> None:
    orders(page, 2)
    expect(page.locator("#total")).to_have_text("€25.90")
    pays(page, "tok_ok")
    expect(page.locator("#status")).to_have_text("Thank you! Your order is on its way.")
    expect(page.locator("#trouble")).to_be_empty()


def test_a_declined_card_and_a_card_number_are_said_and_another_one_pays(page: Page) -> None:
    orders(page, 1)
    for token in ("tok_declined", "4242 4242 4242 4242"):
        pays(page, token)
        expect(page.locator("#trouble")).not_to_be_empty()
    pays(page, "tok_ok")
    expect(page.locator("#status")).to_have_text("Thank you! Your order is on its way.")


def test_the_page_loaded_again_has_the_same_order_which_can_be_cancelled(page: Page) -> None:
    orders(page, 1)
    page.reload()
    expect(page.locator("#cart")).to_contain_text("1 × Squeaky bone")
    expect(page.locator("#status")).to_have_text("Please pay.")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#status")).to_contain_text("was cancelled")
    page.reload()
    expect(page.locator("#status")).to_have_text("Fill your cart.")
    orders(page, 1)


def test_a_shop_that_was_away_is_found_again(page: Page) -> None:
    orders(page, 1)
    page.route("**/events/ticket", lambda route: route.abort())
    with page.expect_event("requestfailed", lambda request: request.url.endswith("/events/ticket")):
        page.reload()
    page.unroute_all()
    expect(page.locator("#status")).to_have_text("Please pay.")
    pays(page, "tok_ok")
    expect(page.locator("#status")).to_have_text("Thank you! Your order is on its way.")


def test_a_second_tab_is_told_that_the_cart_has_changed(page: Page) -> None:
    with page.expect_popup() as opened:
        page.evaluate("window.open(location.href)")  # with a copy of the tab's sessionStorage
    second = opened.value
    expect(second.get_by_role("button", name="Squeaky bone")).to_be_visible()
    expect(second.locator("#total")).not_to_be_empty()
    page.get_by_role("button", name="Squeaky bone").click()
    expect(page.locator("#cart")).to_contain_text("1 × Squeaky bone")
    second.get_by_role("button", name="Squeaky duck").click()
    expect(second.locator("#trouble")).to_have_text("The cart has changed, look again.")
    expect(second.locator("#cart")).to_contain_text("1 × Squeaky bone")
