"""Pages on a wide screen, a telephone and paper: charts can be read, nothing is squeezed or lost with its colour."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from clerk_cli.tests.faults_shop import FaultyShop
from tests_browser.browser_sessions import NARROW, WIDE, OpenPage
from tests_browser.stuck_orders import no_answer

FIGURES, A4 = "/dashboard/figures", 718
"""Pixels between the margins of a sheet."""
HEIGHTS = "each => each.map(text => text.getBoundingClientRect().height)"
TOPS = "each => each.map(cell => cell.getBoundingClientRect().top)"
FILLS = "each => each.map(swatch => getComputedStyle(swatch).fill)"
BREAKS = "each => each.map(table => getComputedStyle(table).breakInside)"


def on_paper(page: Page, path: str) -> None:
    page.set_viewport_size({"width": A4, "height": 1000})
    page.emulate_media(media="print")
    page.goto(path)


@pytest.mark.parametrize("width", [NARROW, WIDE, 1920])
def test_the_text_of_a_chart_is_as_large_as_that_around_it(shop: FaultyShop, open_page: OpenPage, width: int) -> None:
    shop.ends(shop.order())
    page = open_page("viewer", width=width)
    page.goto(FIGURES)
    texts = page.locator(".throughput .plot text")
    expect(texts.first).to_be_visible()
    assert all(10 <= height <= 20 for height in texts.evaluate_all(HEIGHTS))


def test_a_wide_screen_shows_figures_beside_each_other(shop: FaultyShop, open_page: OpenPage) -> None:
    shop.ends(shop.order())
    page = open_page("viewer", width=1920)
    page.goto(FIGURES)
    pairs = ((".throughput", ".ends"), (".funnel", ".times"))
    for pair in pairs:
        first, second = (page.locator(name).evaluate_all(TOPS) for name in pair)
        assert first == second, pair


def test_on_paper_a_cause_is_one_line_and_a_long_table_begins_where_it_stands(
    shop: FaultyShop, open_page: OpenPage
) -> None:
    no_answer(shop)
    page = open_page("admin")
    on_paper(page, "/dashboard")
    tops = page.locator(".causes summary > span:not(.cause-name)").evaluate_all(TOPS)
    assert tops and max(tops) - min(tops) < 12
    on_paper(page, "/dashboard/clerks")
    assert set(page.locator("main .table").evaluate_all(BREAKS)) == {"auto"}
    assert page.evaluate("document.documentElement.scrollWidth") <= A4


def test_on_paper_the_ends_of_orders_are_told_apart_without_colours(shop: FaultyShop, open_page: OpenPage) -> None:
    shop.ends(shop.order())
    page = open_page("viewer")
    on_paper(page, FIGURES)
    fills = page.locator(".ends .legend rect").evaluate_all(FILLS)
    assert len(fills) == 4 and len(set(fills)) == 4
