"""Health and figures: a bare status for everybody, the rest for this machine or a key (security S7)."""

from __future__ import annotations

import pytest

from doors.health import Check
from doors.tests.bench import Bench


def test_live_looks_at_nothing(bench: Bench) -> None:
    bench.checks = {"database": Check(False, "away")}
    assert bench.call("GET", "/health/live").json() == {"status": "ok"}


def test_ready_names_each_check_to_a_caller_on_this_machine(bench: Bench) -> None:
    bench.address = "127.0.0.1"
    answer = bench.call("GET", "/health/ready")
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ready",
        "checks": {
            "database": {"ok": True, "detail": "ok"},
            "last_tick": {"ok": True, "detail": "ticking", "age_seconds": 0.25},
        },
    }


def test_one_bad_check_is_not_ready_and_503(bench: Bench) -> None:
    bench.address = "::1"
    bench.checks["broker"] = Check(False, "connection refused")
    answer = bench.call("GET", "/health/ready")
    assert (answer.status_code, answer.json()["status"]) == (503, "not_ready")
    assert answer.json()["checks"]["broker"] == {"ok": False, "detail": "connection refused"}


def test_strangers_and_customers_see_the_bare_status_only(bench: Bench) -> None:
    for key in (None, "cs_secret"):
        assert bench.call("GET", "/health/ready", key).json() == {"status": "ready"}
    assert bench.call("GET", "/metrics").status_code == 401
    assert bench.call("GET", "/metrics", "cs_secret").status_code == 403


@pytest.mark.parametrize("header", ["Forwarded", "X-Forwarded-For", "X-Real-Ip"])
def test_a_stranger_behind_a_proxy_on_this_machine_is_a_stranger(bench: Bench, header: str) -> None:
    bench.address = "127.0.0.1"
    assert bench.call("GET", "/metrics", headers={header: "203.0.113.9"}).status_code == 401


def test_any_key_opens_details_and_figures(bench: Bench) -> None:
    for key in (bench.ring.create("warehouse", "dock"), bench.ring.create("operator", "ada", "viewer")):
        assert "checks" in bench.call("GET", "/health/ready", key).json()
        figures = bench.call("GET", "/metrics", key)
        assert figures.headers["content-type"].startswith("text/plain")
        assert "orders_total 1.0" in figures.text
        assert "python_info" not in figures.text  # the registry is this service's own
