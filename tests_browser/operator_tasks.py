"""What an operator does at night, played in a real Chromium and measured: clicks, keys, seconds, and what pages weigh.

Typed words are not counted: they depend on who types. Seconds are those of a hand that never hesitates, from the page
on which the task begins to the one that shows its outcome.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any, NamedTuple

from playwright.sync_api import Locator, Page, expect

from clerk_cli.tests.faults_shop import FaultyShop

HOME = "/dashboard"
PAGES = (
    *(f"/dashboard{rest}" for rest in ("", "/clerks", "/clerks?stuck=yes", "/activity", "/parked", "/processes")),
    *(f"/dashboard/{name}" for name in ("figures", "bulk", "audit", "alerts", "runbooks", "checks", "people", "help")),
    "/dashboard/find?q=ada",
)
"""Weighed besides the page of an order and that of a customer."""
SOON_STUCK = {"CLERK_STEP_LIMIT_FACTOR": "0.05", "CLERK_RESEND_FIRST": "60", "CLERK_RESEND_MOST": "60"}
"""A step's limit is three seconds, and nothing heals by itself while it is healed by hand."""
WAIT_MS = 120_000
"""How long a task waits for its outcome."""
MAIL, PACE = "ada@example.com", "1200"
NAVIGATION = "JSON.stringify(performance.getEntriesByType('navigation')[0])"
RESOURCES = "performance.getEntriesByType('resource').reduce((sum, each) => sum + each.encodedBodySize, 0)"
ITEMS = [{"sku": "SQUEAKY-BONE", "quantity": 1}]


class TaskFigures(NamedTuple):
    """`keys` are single presses, such as `/` and Enter."""

    task: str
    clicks: int
    keys: int
    seconds: float


class PageFigures(NamedTuple):
    """`html_bytes` and `other_bytes` as they are sent; `first_byte_ms` and `loaded_ms` are medians."""

    path: str
    html_bytes: int
    other_bytes: int
    first_byte_ms: float
    loaded_ms: float


class Hand:
    """An operator's hand on one page: it counts what it does."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.clicks = 0
        self.keys = 0

    def click(self, element: Locator) -> None:
        element.click()
        self.clicks += 1

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)
        self.keys += 1

    def search(self, text: str) -> None:
        """From wherever one is."""
        self.press("/")
        expect(self.page.locator("#search")).to_be_focused()
        self.page.keyboard.type(text)
        self.press("Enter")

    def does(self, task: str, act: Callable[[Hand], None], begins_at: str = HOME) -> TaskFigures:
        self.clicks, self.keys, began = 0, 0, perf_counter()
        self.page.goto(begins_at)
        act(self)
        return TaskFigures(task, self.clicks, self.keys, round(perf_counter() - began, 2))


def play(shop: FaultyShop, page: Page, orders: int) -> list[TaskFigures]:
    """All tasks, one after the other; `orders` are healed together. `page` is an admin's."""
    hand = Hand(page)
    return [
        heal(shop, hand, 1),
        heal(shop, hand, orders),
        undo_by_reference(shop, hand),
        *find(shop, hand),
        hand.does("see what has changed in the last hour", _see_what_has_changed),
    ]


def heal(shop: FaultyShop, hand: Hand, count: int) -> TaskFigures:
    """Orders that are paid and shipped, and risk refused to settle them until just now."""
    shop.put("risk", "refuse", step="settle")
    orders = [shop.order() for _ in range(count)]
    for order in orders:
        shop.is_stuck(order, "overdue")
    shop.lift()
    found = hand.does(
        f"heal {count}, to the last one", _heal_one if count == 1 else lambda hand: _heal_all(hand, count)
    )
    for order in orders:
        shop.becomes(order, "completed")
    return found


def _heal_one(hand: Hand) -> None:
    page = hand.page
    hand.click(page.get_by_role("link", name="overdue at settle"))  # "Act", of a single order
    page.locator("#act-retry textarea").fill("risk is up again")
    hand.click(page.locator("#act-retry").get_by_role("button", name="Ask again now"))
    expect(page.locator(".facts").first).to_contain_text("completed", timeout=WAIT_MS)


def _heal_all(hand: Hand, count: int) -> None:
    page = hand.page
    hand.click(page.get_by_role("link", name="overdue at settle"))
    page.get_by_label("Why?").fill("risk is up again")
    hand.click(page.get_by_role("button", name="Preview"))
    page.get_by_label("How many a minute").fill(PACE)
    hand.click(page.get_by_role("button", name="Start"))
    expect(page.locator("#progress")).to_contain_text(f"finished Of {count}: {count} healed", timeout=WAIT_MS)


def undo_by_reference(shop: FaultyShop, hand: Hand) -> TaskFigures:
    """The customer has not paid yet."""
    reference = "night-4711"
    _waits_for_payment(shop, {"client_reference": reference})

    def act(hand: Hand) -> None:
        page = hand.page
        hand.search(reference)
        hand.click(page.locator("#act-undo > summary"))
        page.locator("#act-undo textarea").fill("the customer asks for it")
        hand.click(page.locator("#act-undo").get_by_role("button"))
        expect(page.locator(".facts").first).to_contain_text("canceled", timeout=WAIT_MS)

    return hand.does("undo by the shop's reference", act)


def find(shop: FaultyShop, hand: Hand) -> list[TaskFigures]:
    """A customer by e-mail, an order by half of its id."""
    order = _waits_for_payment(shop, {"customer": "ada"})

    def by_mail(hand: Hand) -> None:
        hand.search(MAIL)
        expect(hand.page).to_have_url(re.compile("/dashboard/customers/ada$"))
        expect(hand.page.get_by_role("heading", name="Credit now")).to_be_visible()

    def by_half_an_id(hand: Hand) -> None:
        hand.search(order[4:20])
        expect(hand.page).to_have_url(re.compile(f"/dashboard/clerks/{order}$"))
        expect(hand.page.locator(".headline")).to_be_visible()

    found = [hand.does("find a customer by e-mail", by_mail), hand.does("find an order by half an id", by_half_an_id)]
    shop.cancel(order)
    shop.ends(order)
    return found


def _see_what_has_changed(hand: Hand) -> None:
    hand.click(hand.page.get_by_role("navigation", name="Pages").get_by_role("link", name="Clerks"))
    hand.click(hand.page.get_by_role("link", name="changed in the last hour"))
    expect(hand.page).to_have_url(re.compile("updated_since"))
    expect(hand.page.locator("tbody tr").first).to_be_visible()


def _waits_for_payment(shop: FaultyShop, more: dict[str, Any]) -> str:
    answer = shop.call("POST", "/shop/session", {"items": ITEMS, **more})
    order = str(answer.json()["id"])
    shop.becomes(order, "requires_action")
    return order


def weigh(page: Page, paths: Sequence[str], times: int) -> list[PageFigures]:
    """Each page so many times; styles and scripts are in the browser's cache but for the first."""
    return [_weighed(page, path, times) for path in paths]


def _weighed(page: Page, path: str, times: int) -> PageFigures:
    first_byte, loaded, html, other = [], [], 0, 0
    for _ in range(times):
        page.goto(path)
        found = page.evaluate(f"JSON.parse({NAVIGATION})")
        first_byte.append(found["responseStart"] - found["requestStart"])
        loaded.append(found["loadEventStart"] - found["startTime"])
        html, other = found["encodedBodySize"], page.evaluate(RESOURCES)
    return PageFigures(path, html, other, round(statistics.median(first_byte), 1), round(statistics.median(loaded), 1))
