"""The causes on the home page: one line each, with what is known at a glance and the way to act; words on unfolding."""

from __future__ import annotations

import re

import pytest

from domain.times import hours, minutes
from shop_manager.dashboard.cause_rows import tone_of
from shop_manager.dashboard.tests.browser_client import BrowserClient, visible_text_of
from shop_manager.dashboard.tests.test_clerks_page import stuck_at_capture
from shop_manager.operations.cause_growth import PART, PARTS
from shop_manager.operations.reads import Reads
from shop_manager.tests.http_harness import HttpHarness

HOME = "/dashboard"


def act_of(page: str) -> tuple[str, str]:
    """Where the act of the only cause leads, and its whole name."""
    [found] = re.findall(
        r'<a id="cause-\w+-act" class="button main" href="([^"]+)" data-act>(.*?)</a>', page, re.DOTALL
    )
    return found[0].replace("&amp;", "&"), visible_text_of(found[1])


def reads_of(harness: HttpHarness) -> Reads:
    return harness.operations.reads


def test_a_cause_is_a_line_and_its_words_are_in_it_without_javascript(
    harness: HttpHarness, viewer: BrowserClient
) -> None:
    stuck_at_capture(harness)
    page = viewer.get(HOME).text
    [line] = re.findall(r"<summary id=.*?</summary>", page, re.DOTALL)
    assert re.search(r"no answer at capture payment 1 stuck €25.90 at risk now", visible_text_of(line))
    assert "of these 0 were stuck an hour ago" in line and "<polyline" in line
    [words] = re.findall(r'<div class="cause-words">.*?</div>', page, re.DOTALL)
    told = visible_text_of(words)
    assert "payment has not answered capture in the time it has. What this means" in told
    assert "Your move ask whoever runs payment" in told and "set a runbook" in told and "The order as a list" in told


def test_act_leads_to_the_one_order_and_to_all_of_several(
    harness: HttpHarness, viewer: BrowserClient, operator: BrowserClient, admin: BrowserClient
) -> None:
    clerk = stuck_at_capture(harness)
    one = f"/dashboard/clerks/{clerk}#acts-title"
    assert act_of(admin.get(HOME).text) == (one, "Act on no answer at capture")
    assert act_of(operator.get(HOME).text) == (one, "Act on no answer at capture")
    assert act_of(viewer.get(HOME).text) == (one, "See on no answer at capture")
    stuck_at_capture(harness)
    parts = "stuck=yes&kind=no_answer&process=standard%2F1&step=capture&code=no_answer"
    assert act_of(operator.get(HOME).text)[0] == f"/dashboard/clerks?{parts}"
    where = act_of(admin.get(HOME).text)[0]
    assert where == f"/dashboard/bulk?action=retry&{parts}"
    assert re.search(r'value="no_answer" selected', admin.get(where).text)


def test_the_line_of_an_hour_counts_those_that_are_stuck_now(harness: HttpHarness) -> None:
    stuck_at_capture(harness)
    harness.now += 2 * PART
    stuck_at_capture(harness)
    [growth] = reads_of(harness).growth().values()
    assert len(growth.counts) == PARTS and growth.counts[0] == 0 and growth.counts[-1] == 2
    assert 1 in growth.counts and sorted(growth.counts) == growth.counts
    harness.now += hours(2)
    [growth] = reads_of(harness).growth().values()
    assert growth.counts == [2] * PARTS


@pytest.mark.parametrize(
    ("age", "tone"), [(0, "quiet"), (minutes(15) - 1, "quiet"), (minutes(15), "warn"), (hours(1), "bad")]
)
def test_the_longer_it_lasts_the_graver_it_looks(age: int, tone: str) -> None:
    assert tone_of(age) == tone
