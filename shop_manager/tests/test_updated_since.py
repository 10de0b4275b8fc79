"""What has changed lately is found, whether it lives or has ended."""

from __future__ import annotations

import pytest

from domain.times import hours, to_wire
from shop_manager.saga.state import ENDED
from shop_manager.sessions import listing
from shop_manager.tests.http_harness import SERVER, HttpHarness
from shop_manager.tests.test_operations_api import ids


@pytest.mark.parametrize("few", [5_000, 0])
def test_what_has_changed_lately_is_found_whether_it_lives_or_has_ended(
    harness: HttpHarness, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    """By the index of those that have ended, or walking through the newest when too many have."""
    before = [harness.opened(SERVER)["id"] for _ in range(4)]
    harness.sent()
    harness.now += hours(2)
    moment = to_wire(harness.now)
    lately = harness.opened(SERVER, customer="ada")["id"]
    harness.sent()
    assert harness.call("POST", f"/shop/session/{before[1]}/cancel", SERVER).status_code in (200, 202)
    harness.goes_on_to_the_end()
    status = harness.session(before[1])["status"]
    assert status in ENDED
    monkeypatch.setattr(listing, "FEW", few)
    assert ids(harness, f"updated_since={moment}") == [lately, before[1]]
    assert ids(harness, "updated_since=1h&sort=created_at") == [before[1], lately]
    assert ids(harness, "updated_since=1h&limit=1") == [lately]
    assert ids(harness, f"updated_since=1h&status={status}") == [before[1]]
    assert ids(harness, "updated_since=1h&status=open") == ids(harness, "updated_since=1h&customer=ada") == [lately]
    assert ids(harness, "updated_since=1h&step=shopping") == [lately]
    assert len(ids(harness, "updated_since=3h")) == 5
    harness.now += hours(1) + 1
    assert ids(harness, "updated_since=1h") == []
