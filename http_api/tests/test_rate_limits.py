"""Rate limits: who is counted as whom, how fast each may go, and that the table stays small (security S4)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from http_api.rate_limits import Buckets, Limits, Rate
from http_api.tests.access_keys import add_key
from http_api.tests.harness import HttpHarness
from messaging.database import Database

SMALL = Limits(
    open_session=Rate(per_second=1, burst=2),
    anonymous=Rate(per_second=2, burst=4),
    authenticated=Rate(per_second=10, burst=20),
)


@pytest.fixture
def small(database: Database) -> HttpHarness:
    return HttpHarness(database, SMALL)


def statuses(
    harness: HttpHarness, count: int, method: str = "GET", path: str = "/me", key: str | None = None
) -> list[int]:
    return [answer.status_code for answer in harness.calls([(method, path, key, {})] * count)]


def test_the_defaults_are_the_agreed_ones() -> None:
    limits = Limits()
    assert (limits.body, limits.clients) == (65536, 10_000)
    assert (limits.open_session.per_second, limits.open_session.burst) == (30, 300)
    assert (limits.anonymous.per_second, limits.anonymous.burst) == (300, 600)
    assert limits.authenticated.per_second == 1000


def test_S5_opening_sessions_is_limited_more_tightly_than_the_rest(small: HttpHarness) -> None:
    assert statuses(small, 3, "POST", "/shop/session") == [201, 201, 429]
    assert statuses(small, 2) == [200, 429]
    small.clock.now += 1
    assert statuses(small, 2, "POST", "/shop/session") == [201, 429]


def test_429_says_when_to_come_again_in_whole_seconds(small: HttpHarness) -> None:
    statuses(small, 4)
    answer = small.call("GET", "/me")
    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (429, "too_many_requests", "1")
    small.clock.now += float(answer.headers["retry-after"])
    assert statuses(small, 1) == [200]


def test_each_address_has_a_bucket_of_its_own(small: HttpHarness) -> None:
    statuses(small, 5)
    small.address = "203.0.113.8"
    assert statuses(small, 1) == [200]


def test_S4_a_48_full_of_addresses_has_eight_times_what_one_of_them_has(small: HttpHarness) -> None:
    found = []
    for household in range(10):
        small.address = f"2001:db8:1:{household:x}::7"
        found += statuses(small, 5)
    assert found == ([200] * 4 + [429]) * 8 + [429] * 10
    small.address = "2001:db8:2::7"
    assert statuses(small, 1) == [200]


@pytest.mark.parametrize("who", [None, "cs_invented"])
def test_S5_a_customers_secret_buys_no_sessions_beyond_the_limit(small: HttpHarness, who: str | None) -> None:
    assert statuses(small, 3, "POST", "/shop/session", who) == [201, 201, 429]
    small.clock.now += 60
    found = []
    for household in range(9):
        small.address = f"2001:db8:1:{household:x}::7"
        found += statuses(small, 2, "POST", "/shop/session", who)
    assert found == [201] * 16 + [429] * 2


def test_a_verified_key_is_counted_by_itself_wherever_it_calls_from(small: HttpHarness) -> None:
    key = add_key(small.ring, "server", "backend")
    assert statuses(small, 21, key=key).count(429) == 0
    assert statuses(small, 1, key=key) == [429]
    assert statuses(small, 3) == [200, 200, 200]  # the address has only been asked once, before the key was known


def test_an_invented_key_buys_no_bucket(small: HttpHarness) -> None:
    answers = small.calls([("GET", "/me", f"sk_{'a' * 12}_{number:043}", {}) for number in range(6)])
    assert [answer.status_code for answer in answers] == [401] * 4 + [429] * 2


def test_customers_are_counted_by_address(small: HttpHarness) -> None:
    answers = small.calls([("GET", "/me", f"cs_{number}", {}) for number in range(5)])
    assert [answer.status_code for answer in answers] == [200] * 4 + [429]


def test_health_is_never_limited(small: HttpHarness) -> None:
    assert set(statuses(small, 20, path="/health/live")) == {200}


def test_S4_the_table_of_clients_is_bounded_and_forgets_the_oldest() -> None:
    buckets = Buckets(3)
    slow = Rate(per_second=1, burst=1)
    for name in ("a", "b", "c", "a", "d"):
        buckets.take(name, slow, now=0)
    assert len(buckets) == 3
    assert buckets.take("a", slow, now=0) == 1  # still known, and empty
    assert buckets.take("b", slow, now=0) == 0  # forgotten, so new


@given(st.lists(st.floats(0, 10), max_size=200))
def test_S4_no_client_passes_more_often_than_burst_and_rate_allow(pauses: list[float]) -> None:
    buckets, rate, now, passed = Buckets(10), Rate(per_second=2, burst=5), 0.0, 0
    for pause in pauses:
        now += pause
        passed += buckets.take("a", rate, now) == 0
    assert passed <= 5 + 2 * now + 1e-6
