"""Alerts as a webhook: one POST with a JSON body, signed if a secret is set. No redirect is followed."""

from __future__ import annotations

import hashlib
import hmac
import ssl
from collections.abc import Mapping
from typing import Any

import httpx
import orjson

from domain.version import VERSION
from shop_manager.alerts.delivery import NotDelivered
from shop_manager.alerts.options import WEBHOOK, WebhookOptions
from shop_manager.alerts.wording import as_slack, headline

TIMEOUT = httpx.Timeout(5.0, connect=2.0)


class Webhook:
    """The channel `webhook`. Nothing of the answer but its status is looked at."""

    name = WEBHOOK

    def __init__(self, options: WebhookOptions) -> None:
        self._options = options
        self._trusted = ssl.create_default_context()

    def send(self, alert: Mapping[str, Any], now: int) -> str:
        body = self._body(alert)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"shop-clerk/{VERSION}",
            "Idempotency-Key": str(alert["id"]),
        }
        if self._options.secret:
            headers["Clerk-Signature"] = sign(self._options.secret, body, now)
        try:
            status = self._status(body, headers)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError) as error:
            raise NotDelivered(f"no answer: {type(error).__name__}") from None
        if 300 <= status < 400:
            raise NotDelivered(f"it answered {status}: no redirect is followed")
        if not 200 <= status < 300:
            raise NotDelivered(f"it answered {status}")
        return ""

    def _status(self, body: bytes, headers: Mapping[str, str]) -> int:
        client = httpx.Client(timeout=TIMEOUT, trust_env=False, follow_redirects=False, verify=self._trusted)
        with client, client.stream("POST", self._options.url, content=body, headers=headers) as response:
            return response.status_code

    def _body(self, alert: Mapping[str, Any]) -> bytes:
        if self._options.form == "slack":
            return orjson.dumps(as_slack(alert))
        return orjson.dumps({**alert, "text": headline(alert)})


def sign(secret: str, body: bytes, now: int) -> str:
    """The header `Clerk-Signature`: HMAC-SHA256 over `<unix seconds>.<body>`; `now` in ms."""
    at = now // 1000
    mac = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={mac}"
