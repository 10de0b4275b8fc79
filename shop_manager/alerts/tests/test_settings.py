"""The settings of alerts: what is allowed, what belongs together, and what they come to."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from domain.times import minutes, seconds
from shop_manager.alerts.options import EmailOptions, WebhookOptions
from shop_manager.alerts.parts import channels_of
from shop_manager.alerts.rules import AlertRules
from shop_manager.settings import ShopManagerSettings

MAIL = {"alert_email": "night@example.org", "alert_smtp_host": "mail.example.org", "alert_from": "c@shop.example"}


def settings(**given: Any) -> ShopManagerSettings:
    return ShopManagerSettings(_env_file=None, **given)


def test_without_any_nobody_is_told() -> None:
    options = settings().alerts()
    assert (options.webhook, options.email, options.channels) == (None, None, {})
    assert channels_of(options) == []
    assert options.rules == AlertRules(seconds(60), minutes(15), 2)


def test_both_channels_as_they_are_set() -> None:
    options = settings(alert_webhook="https://hooks.test/T0/secret", alert_webhook_form="slack", **MAIL).alerts()
    assert options.webhook == WebhookOptions("https://hooks.test/T0/secret", "slack")
    assert options.email == EmailOptions(("night@example.org",), "mail.example.org", 587, "starttls", "c@shop.example")
    assert options.channels == {
        "webhook": "hooks.test, slack",
        "email": "1 recipient through mail.example.org:587",
    }
    assert [channel.name for channel in channels_of(options)] == ["webhook", "email"]


def test_links_lead_through_the_public_address() -> None:
    assert settings().alerts().link("/dashboard") is None
    public = settings(public_url="https://shop.example/orders").alerts()
    assert public.link("/dashboard/clerks?stuck=yes") == "https://shop.example/orders/dashboard/clerks?stuck=yes"


@pytest.mark.parametrize(
    "given",
    [
        {"alert_webhook": "hooks.test/T0"},
        {"alert_webhook": "ftp://hooks.test/T0"},
        {"alert_webhook": "https://user:secret@hooks.test/T0"},
        {"alert_webhook": "https://hooks.test/T0#secret"},
        {"alert_webhook": "https://hooks.test:99999/secret"},
        {"alert_webhook": "https://hooks.test/secret\nHost: evil.test"},
        {"alert_webhook_form": "xml"},
        {"alert_email": "night"},
        {**MAIL, "alert_email": "night@example.org\nBcc: eve@evil.test"},
        {**MAIL, "alert_email": ",".join(f"n{number}@example.org" for number in range(21))},
        {**MAIL, "alert_from": "a@example.org, b@example.org"},
        {"alert_email": "night@example.org"},
        {**MAIL, "alert_from": ""},
        {**MAIL, "alert_smtp_user": "clerk"},
        {**MAIL, "alert_smtp_password": "correct horse battery"},
        {"alert_growth": 1},
        {"alert_wait": -1},
    ],
)
def test_what_cannot_be_is_refused_without_showing_a_secret(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as wrong:
        settings(**given)
    assert "secret" not in str(wrong.value.errors(include_input=False, include_context=False))
