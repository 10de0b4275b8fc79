"""The provider's signed events, pure: is the signature genuine, and which answer to which call does an event carry."""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Literal

from domain.times import minutes
from payment_service.provider import CallKind, CallOutcome, Card, ProviderAnswer

TOLERANCE_MS = minutes(5)
_HEADER = re.compile(r"t=(?P<at>[0-9]{1,12}),v1=(?P<mac>[0-9a-f]{64})", re.ASCII)

EventType = Literal[
    "payment.authorized",
    "payment.charged",
    "payment.captured",
    "payment.voided",
    "payment.refunded",
    "payment.declined",
]
MEANS: dict[str, tuple[CallKind | None, CallOutcome]] = {
    "payment.authorized": ("authorize", "approved"),
    "payment.charged": ("charge", "approved"),
    "payment.captured": ("capture", "approved"),
    "payment.voided": ("void", "approved"),
    "payment.refunded": ("refund", "approved"),
    "payment.declined": (None, "declined"),
}


def sign(secret: str, body: bytes, now: int) -> str:
    """The value of the header `Provider-Signature`: HMAC-SHA256 over `<unix seconds>.<body>`."""
    at = now // 1000
    return f"t={at},v1={_mac(secret, at, body)}"


def is_genuine(secret: str, header: str, body: bytes, now: int) -> bool:
    """Was this body signed with our secret, within the last five minutes (either way)?"""
    parts = _HEADER.fullmatch(header)
    if parts is None or not secret:
        return False
    at = int(parts["at"])
    return abs(now - at * 1000) <= TOLERANCE_MS and hmac.compare_digest(parts["mac"], _mac(secret, at, body))


def fits(event_type: str, key: str) -> bool:
    """Is an event of this type about the kind of call that the key names (`clk_…/payment/<kind>/<try>`)?"""
    kind, _ = MEANS[event_type]
    parts = key.split("/")
    return len(parts) == 4 and parts[1] == "payment" and (kind is None or parts[2] == kind)


def answer_of(event_type: str, key: str, card: Card | None, reason: str, amount: int | None) -> ProviderAnswer:
    return ProviderAnswer(key, MEANS[event_type][1], None, card, reason, amount)


def _mac(secret: str, at: int, body: bytes) -> str:
    return hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
