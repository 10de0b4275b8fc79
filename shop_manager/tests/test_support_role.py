"""Support sees, leaves notes and cancels before the pivot; everything else is refused, and written down."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from http_api.openid_options import read_roles
from shop_manager.dashboard.clerk_page import DONE
from shop_manager.dashboard.tests.browser_client import BrowserClient
from shop_manager.tests.http_harness import HttpHarness
from shop_manager.tests.test_operations_acts import act, audit
from shop_manager.tests.test_operations_api import read, stuck_one

DESK = "op_desk"


def test_support_cancels_before_the_pivot_and_no_longer_after_it(harness: HttpHarness) -> None:
    early = harness.brings_all()["id"]
    harness.goes_on_to("AuthorizePayment")
    answered = act(harness, early, "undo", key=DESK)
    assert answered.status_code == 200, answered.text
    assert read(harness, f"clerks/{early}")["status"] == "canceling"
    harness.sent()
    late = harness.brings_all()["id"]
    harness.goes_on_to("CapturePayment")
    refused = act(harness, late, "undo", key=DESK)
    assert (refused.status_code, refused.json()["code"]) == (409, "past_the_pivot")


def test_support_leaves_a_note_and_does_nothing_else(harness: HttpHarness) -> None:
    clerk = stuck_one(harness)
    assert act(harness, clerk, "note", key=DESK).status_code == 200
    wanted: list[tuple[str, dict[str, Any]]] = [("retry", {}), ("extend", {"until": "2030-01-01T00:00:00Z"}),
                         ("settle", {"step": "capture", "outcome": "done", "evidence": "none"})]  # fmt: skip
    for action, more in wanted:
        refused = act(harness, clerk, action, key=DESK, **more)
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden"), action
        assert refused.json()["detail"] == "This needs the role operator or a higher one; yours is support."
        assert (audit(harness, clerk)[0]["action"], audit(harness, clerk)[0]["outcome"]) == (action, "forbidden")
    assert read(harness, f"clerks/{clerk}")["stuck"] is not None


@pytest.mark.parametrize("path", ["/ops/bulk", "/ops/people", "/ops/keys"])
def test_support_neither_acts_in_bulk_nor_sees_people(harness: HttpHarness, path: str) -> None:
    body = {"action": "note", "filter": {}, "reason": "many"}
    method = "POST" if path == "/ops/bulk" else "GET"
    refused: httpx.Response = harness.call(method, path, DESK, **({"json": body} if method == "POST" else {}))
    assert refused.status_code == 403


def test_the_page_of_an_order_has_the_two_acts_of_support(harness: HttpHarness) -> None:
    clerk = harness.brings_all()["id"]
    harness.goes_on_to("AuthorizePayment")
    desk = BrowserClient(harness).logged_in("support")
    page = desk.get(f"/dashboard/clerks/{clerk}").text
    assert 'id="act-note"' in page and 'id="act-undo"' in page
    assert 'id="act-retry"' not in page and 'id="act-extend"' not in page
    assert "for all else ask an operator" in page
    version = desk.version()
    refused = desk.post(f"/dashboard/clerks/{clerk}/actions", action="retry", reason="let me", version=version)
    assert refused.status_code == 403
    done = desk.post(f"/dashboard/clerks/{clerk}/actions", action="undo", reason="the customer asks", version=version)
    assert (done.status_code, done.headers["location"]) == (303, f"/dashboard/clerks/{clerk}")
    assert DONE["undo"] in desk.text(f"/dashboard/clerks/{clerk}")


def test_an_openid_provider_may_give_the_role() -> None:
    assert read_roles("hotline=support") == {"hotline": "support"}
    assert read_roles("")["support"] == "support"
