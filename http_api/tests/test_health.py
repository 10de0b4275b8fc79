"""Health and figures: a bare status for everybody, the rest for this machine or a key (security S7)."""

from __future__ import annotations

from threading import Event

import pytest
from starlette.requests import Request

from domain.public_url import PublicAddress
from domain.version import VERSION
from http_api import health
from http_api.keys import Holder, KeysUnavailable, Scope, new_key
from http_api.request import is_loopback
from http_api.tests.access_keys import add_key
from http_api.tests.harness import HttpHarness
from messaging.health_check import HealthCheck

READY = {"status": "ready", "version": VERSION}
NOT_READY = {"status": "not_ready", "version": VERSION}
HERE = {"Host": "127.0.0.1:8470"}


def test_live_looks_at_nothing(harness: HttpHarness) -> None:
    harness.checks = {"database": HealthCheck(False, "away")}
    assert harness.call("GET", "/health/live").json() == {"status": "ok"}


def test_ready_names_each_check_to_a_client_on_this_machine(harness: HttpHarness) -> None:
    harness.address = "127.0.0.1"
    answer = harness.call("GET", "/health/ready", headers=HERE)
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ready",
        "version": VERSION,
        "checks": {
            "database": {"ok": True, "detail": "ok"},
            "last_tick": {"ok": True, "detail": "ticking", "age_seconds": 0.25},
        },
    }


def test_one_bad_check_is_not_ready_and_503(harness: HttpHarness) -> None:
    harness.address = "::1"
    harness.checks["broker"] = HealthCheck(False, "connection refused")
    answer = harness.call("GET", "/health/ready", headers={"Host": "[::1]"})
    assert (answer.status_code, answer.json()["status"]) == (503, "not_ready")
    assert answer.json()["checks"]["broker"] == {"ok": False, "detail": "connection refused"}


def test_S7_strangers_and_customers_see_the_bare_status_only(harness: HttpHarness) -> None:
    for key in (None, "cs_secret"):
        assert harness.call("GET", "/health/ready", key).json() == READY
    assert harness.call("GET", "/metrics").status_code == 401
    assert harness.call("GET", "/metrics", "cs_secret").status_code == 403


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8470", "127.1.2.3", "localhost", "LocalHost:1", "[::1]:8470"])
@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1"])
def test_S7_figures_are_for_who_asks_on_this_machine_for_this_machine(
    harness: HttpHarness, address: str, host: str
) -> None:
    harness.address = address
    assert harness.call("GET", "/metrics", headers={"Host": host}).status_code == 200
    assert "checks" in harness.call("GET", "/health/ready", headers={"Host": host}).json()


def opens_nothing(harness: HttpHarness, **headers: str) -> bool:
    """Neither figures nor details, with these headers."""
    figures = harness.call("GET", "/metrics", headers=headers).status_code
    return (figures, harness.call("GET", "/health/ready", headers=headers).json()) == (
        401,
        READY,
    )


@pytest.mark.parametrize(
    "host",
    ["shop.test", "evil.test:8470", "127.0.0.1.evil.test", "localhost.evil.test", "localhost.", "127.0.0.1@evil.test",
     "127.0.0.1:8470:1", "::1", "[::2]", "192.168.0.7", "0.0.0.0", "2130706433", ""],
)  # fmt: skip
def test_S7_a_page_that_was_led_here_by_a_foreign_host_name_sees_nothing(harness: HttpHarness, host: str) -> None:
    harness.address = "127.0.0.1"
    assert opens_nothing(harness, Host=host)


@pytest.mark.parametrize(
    "header",
    ["Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Real-Ip", "Via",
     "True-Client-Ip", "CF-Connecting-IP", "X-Client-IP", "X-Envoy-External-Address", "Fastly-Client-IP",
     "Fly-Client-IP", "X-Azure-ClientIP", "X-Cluster-Client-IP", "X-Original-Forwarded-For", "X-Amzn-Trace-Id",
     "X-Cloud-Trace-Context", "CDN-Loop", "Cf-Ray", "X-Varnish", "X-Request-Start", "X-Original-Host", "X-Scheme",
     "X-Something-New"],
)  # fmt: skip
def test_S7_a_stranger_behind_a_proxy_on_this_machine_is_a_stranger(harness: HttpHarness, header: str) -> None:
    harness.address = "127.0.0.1"
    assert opens_nothing(harness, **HERE, **{header: "203.0.113.9"})


def test_S7_a_proxy_that_tells_nothing_but_speaks_as_nginx_does_is_a_proxy() -> None:
    asked = {"type": "http", "headers": [(b"host", b"127.0.0.1:8470")], "client": ("127.0.0.1", 1), "method": "GET"}
    assert is_loopback(Request({**asked, "http_version": "1.1"}))
    assert not is_loopback(Request({**asked, "http_version": "1.0"}))
    assert not is_loopback(Request({**asked, "http_version": "1.1", "headers": asked["headers"] * 2}))  # type: ignore[operator]


@pytest.mark.parametrize("known_by", ["CLERK_PUBLIC_URL", "CLERK_BEHIND_PROXY"])
def test_S7_where_a_proxy_is_known_to_stand_before_us_nobody_is_sure_to_be_on_this_machine(
    harness: HttpHarness, known_by: str
) -> None:
    harness.address = "127.0.0.1"
    assert not opens_nothing(harness, **HERE)
    if known_by == "CLERK_PUBLIC_URL":
        harness.app.state.public_address = PublicAddress("https", "shop.example")
    else:
        harness.app.state.behind_proxy = True
    assert opens_nothing(harness, **HERE)
    key = add_key(harness.ring, "warehouse", "dock")
    assert harness.call("GET", "/metrics", key, headers=HERE).status_code == 200


@pytest.mark.parametrize("address", ["203.0.113.7", "10.0.0.1", "unknown"])
def test_S7_a_loopback_host_from_elsewhere_opens_nothing(harness: HttpHarness, address: str) -> None:
    harness.address = address
    assert opens_nothing(harness, **HERE)


def test_any_key_opens_details_and_figures(harness: HttpHarness) -> None:
    for key in (add_key(harness.ring, "warehouse", "dock"), add_key(harness.ring, "operator", "ada", "viewer")):
        assert "checks" in harness.call("GET", "/health/ready", key).json()
        figures = harness.call("GET", "/metrics", key)
        assert figures.headers["content-type"].startswith("text/plain")
        assert "orders_total 1.0" in figures.text
        assert "python_info" not in figures.text  # the registry is this service's own


class Away:
    """The keys of a service whose ShopManager does not answer."""

    def __init__(self, waits: Event | None = None) -> None:
        self.waits = waits

    def check(self, plain: str) -> Holder | None:
        if self.waits:
            self.waits.wait(10)
        raise KeysUnavailable("ShopManager cannot be asked")

    def recall(self, plain: str) -> None:
        return None

    def known(self, plain: str) -> bool:
        return False


@pytest.mark.parametrize("kind", ["server", "warehouse", "operator", "monitoring"])
def test_S7_while_nobody_says_whether_a_key_is_good_readiness_answers_as_to_nobody(
    harness: HttpHarness, kind: Scope
) -> None:
    key = add_key(harness.ring, kind, "backend", "viewer" if kind == "operator" else None)
    harness.app.state.keys = Away()
    answer = harness.call("GET", "/health/ready", key)
    assert (answer.status_code, answer.json()) == (200, READY)
    harness.checks["broker"] = HealthCheck(False, "connection refused")
    answer = harness.call("GET", "/health/ready", key)
    assert (answer.status_code, answer.json()) == (503, NOT_READY), "for the broker, not for the key"
    assert harness.call("GET", "/metrics", key).status_code == 503


def test_S7_while_the_answer_about_a_key_hangs_readiness_does_not(
    harness: HttpHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "WHO_WITHIN", 0.05)
    said = Event()
    harness.app.state.keys = Away(said)
    answer = harness.call("GET", "/health/ready", new_key("server"))
    assert (answer.status_code, answer.json()) == (200, READY)
    said.set()


def test_S7_on_this_machine_the_details_are_seen_whatever_becomes_of_the_key(harness: HttpHarness) -> None:
    harness.address = "127.0.0.1"
    harness.app.state.keys = Away()
    assert "checks" in harness.call("GET", "/health/ready", new_key("server"), headers=HERE).json()
