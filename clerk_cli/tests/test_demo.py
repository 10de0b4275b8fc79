"""`clerk demo` as people run it: within a minute orders are stuck in every way, and an act repairs one of each."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clerk_cli.demo.troubles import TROUBLES
from clerk_cli.main import run
from clerk_cli.tests.faults_shop import FaultyShop
from clerk_cli.tests.processes import clerk

SETTLED = {"outcome": "undone", "evidence": "counted by hand"}
HEALED = {
    ("no_answer", "capture"): ({"action": "retry"}, "completed"),
    ("undo_failing", "payment"): ({"action": "retry"}, "failed"),
    ("undo_failing", "stock"): ({"action": "settle", "step": "stock", **SETTLED}, "failed"),
    ("overdue", "settle"): ({"action": "settle", "step": "settle", **SETTLED, "outcome": "done"}, "completed"),
    ("unsupported", "shipping"): ({"action": "retry"}, "completed"),
    ("unsupported", "delivery"): ({"action": "retry"}, "completed"),
}
"""(kind, step) → the act that heals it, and how the order ends then."""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultyShop]:
    """A running demo with orders stuck in every way; it is ended with Ctrl-C."""
    folder = tmp_path_factory.mktemp("demo")
    with clerk("demo", "--port", "0", "--data", "data", "--pace", "90", folder=folder) as running:
        assert running.url
        running.line("All of them go on by themselves when their causes are lifted")
        yield FaultyShop(running, folder / "data")
        running.signal(signal.SIGINT)
        assert running.ended() == 0
        assert running.errors == ""


def stuck(demo: FaultyShop, kind: str, step: str) -> list[str]:
    path = f"/ops/clerks?stuck=true&kind={kind}&step={step}"
    return [each["id"] for each in demo.call("GET", path, headers=demo.operator).json()["data"]]


def act(demo: FaultyShop, order: str, body: dict[str, Any]) -> None:
    """Act on the current version; if it changes in between (412), read it and try again."""

    def done() -> bool:
        seen = demo.call("GET", f"/ops/clerks/{order}", headers=demo.operator).headers["etag"]
        headers = {**demo.operator, "If-Match": seen}
        answer = demo.call("POST", f"/ops/clerks/{order}/actions", {"reason": "to see it healed", **body}, headers)
        assert answer.status_code in (200, 412), answer.text
        return answer.status_code == 200

    demo.until(done, f"{body['action']} of {order}")


def test_it_says_where_the_dashboard_is_how_to_log_in_and_what_to_look_at(demo: FaultyShop) -> None:
    printed = "\n".join(demo.running.lines)
    assert f"{demo.url}/dashboard" in printed
    assert "log in as    admin" in printed and "password" in printed
    for kind, made in TROUBLES.items():
        assert f"{kind:15} {sum(made.values())} orders" in printed


def test_every_kind_is_stuck_with_money_at_risk_and_messages_are_parked(demo: FaultyShop) -> None:
    found = demo.call("GET", "/ops/summary", headers=demo.operator).json()
    assert {cause["kind"] for cause in found["stuck"]["causes"]} == set(TROUBLES)
    assert found["stuck"]["money_at_risk"]["EUR"] > 0 and found["stuck"]["money_to_settle"]["EUR"] > 0
    assert found["parked"] >= 2


def test_orders_of_every_fate_go_on_beside_them(demo: FaultyShop) -> None:
    def counts() -> dict[str, int]:
        found: dict[str, int] = demo.call("GET", "/ops/summary", headers=demo.operator).json()["counts"]
        return found

    demo.until(lambda: all(counts()[end] for end in ("completed", "failed", "canceled", "expired")), "every end")
    [order, *_] = demo.call("GET", "/ops/clerks?status=completed", headers=demo.operator).json()["data"]
    assert "." in order["customer"]


def test_nothing_has_drifted_besides(demo: FaultyShop, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", "--data", str(demo.data)]) == 0, capsys.readouterr().out


@pytest.mark.parametrize(("kind", "step"), HEALED)
def test_an_act_heals_it(demo: FaultyShop, kind: str, step: str) -> None:
    body, end = HEALED[kind, step]
    order = stuck(demo, kind, step)[0]
    act(demo, order, body)
    demo.becomes(order, end)


def test_a_parked_message_is_replayed_and_its_order_goes_on(demo: FaultyShop) -> None:
    order = stuck(demo, "parked_message", "capture")[0]
    waiting = demo.call("GET", "/ops/parked?state=parked", headers=demo.operator).json()["data"]
    message = next(each["id"] for each in waiting if each["clerk"] == order)
    replay = {"action": "replay", "reason": "to see it healed"}
    assert demo.call("POST", f"/ops/parked/{message}/actions", replay, demo.operator).status_code == 200
    demo.becomes(order, "completed")


def test_when_the_causes_are_lifted_the_rest_goes_on_when_it_is_asked_again(demo: FaultyShop) -> None:
    demo.lift()
    order = stuck(demo, "overdue", "shipping")[0]
    act(demo, order, {"action": "retry"})
    demo.becomes(order, "completed")


def test_it_ends_by_itself_after_its_seconds_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with clerk("demo", "--port", "0", "--seconds", "2", folder=tmp_path, TMPDIR=str(tmp_path)) as running:
        assert running.url
        assert list(tmp_path.glob("clerk-demo-*"))
        assert running.ended() == 0
        assert running.errors == ""
    assert list(tmp_path.glob("clerk-demo-*")) == []


@pytest.mark.parametrize(
    ("flags", "named"),
    [(["--pace", "0"], "--pace"), (["--seconds", "0"], "--seconds"), (["--port", "70000"], "--port")],
)
def test_a_wrong_flag_is_one_clear_line(flags: list[str], named: str, tmp_path: Path) -> None:
    with clerk("demo", *flags, folder=tmp_path) as running:
        assert running.ended() == 2
        assert named in running.errors and running.errors.count("\n") == 1
