"""The alerts of a ShopManager put together: what readiness and the figures tell, and its threads."""

from __future__ import annotations

from threading import Event
from typing import Any

from prometheus_client import CollectorRegistry
from sqlalchemy.exc import OperationalError

from messaging.tests.readiness import becomes_ready
from scenario_tests.waiting import until
from shop_manager.alerts.options import AlertOptions, WebhookOptions
from shop_manager.alerts.parts import Alerts
from shop_manager.alerts.rules import AlertRules
from shop_manager.alerts.tests.receivers import HttpReceiver, http_receiver
from shop_manager.main import build
from shop_manager.settings import ShopManagerSettings
from shop_manager.tests.conftest import harness
from shop_manager.tests.http_harness import HttpHarness
from shop_manager.tests.test_operations_api import stuck_one

__all__ = ["harness"]
RULES = AlertRules(0, 0, 2)


def alerts_to(harness: HttpHarness, receiver: HttpReceiver) -> Alerts:
    options = AlertOptions(RULES, webhook=WebhookOptions(receiver.url))
    return Alerts(harness.database, harness.manager.processes, options)


def figures(alerts: Alerts) -> dict[str, dict[tuple[str, ...], float]]:
    registry = CollectorRegistry()
    for collector in alerts.collectors:
        registry.register(collector)
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for metric in registry.collect():
        for sample in metric.samples:
            found.setdefault(sample.name, {})[tuple(sample.labels.values())] = sample.value
    return found


def test_without_a_channel_nothing_is_looked_at_and_nothing_is_told(harness: HttpHarness) -> None:
    alerts = Alerts(harness.database, harness.manager.processes, AlertOptions(RULES))
    before = harness.database.statements
    assert (alerts.paced, alerts.ticks, alerts.checks()) == ([], [], {})
    assert figures(alerts).get("clerk_alerts_total") is None
    assert harness.database.statements == before


def test_a_tick_never_waits_for_a_receiver_that_hangs(harness: HttpHarness) -> None:
    stuck_one(harness)
    with http_receiver() as receiver:
        receiver.hangs = Event()
        alerts = alerts_to(harness, receiver)
        assert alerts.watch.look()
        for tick in alerts.ticks * 3:
            tick()
        until(lambda: receiver.asked == 1, "the receiver is asked")
        assert alerts.checks()["alerts"].as_json() == {"ok": True, "detail": "webhook: 1 wait"}
        assert figures(alerts)["clerk_alerts_waiting"] == {("webhook",): 1}
        receiver.hangs.set()
        until(lambda: figures(alerts)["clerk_alerts_total"][("webhook", "delivered")] == 1, "it is delivered")
        alerts.stop()


def test_a_database_that_is_away_makes_no_check_fail(harness: HttpHarness) -> None:
    def gone(*_arguments: Any) -> Any:
        raise OperationalError("SELECT", {}, Exception("away"))

    with http_receiver() as receiver:
        alerts = alerts_to(harness, receiver)
        harness.database.read = gone  # type: ignore[method-assign]
        assert alerts.checks() == {}
        assert figures(alerts).get("clerk_alerts_waiting") is None


def test_a_running_shop_manager_tells_its_receiver(harness: HttpHarness) -> None:
    stuck_one(harness)
    with http_receiver() as receiver:
        settings = ShopManagerSettings(_env_file=None, alert_webhook=receiver.url, alert_wait=0)
        participant, _ = build(
            settings, harness.database, harness.broker.transport("shop_manager.replies.v1", "shop_manager")
        )
        participant.prepare = lambda: None
        participant.start()
        try:
            assert becomes_ready(participant, 30)
            until(lambda: [each["what"] for each in receiver.alerts] == ["stuck"], "it is told")
            assert "alerts" in participant.checks()
        finally:
            participant.stop()
