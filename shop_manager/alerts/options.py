"""What is set about alerts: where they go, in which form, and how often. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from domain.http_urls import http_url
from domain.public_url import PublicAddress
from shop_manager.alerts.rules import AlertRules

WebhookForm = Literal["json", "slack"]
SmtpTls = Literal["starttls", "tls", "none"]
WEBHOOK, EMAIL = "webhook", "email"
NOWHERE = PublicAddress()
_MAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_MOST_RECIPIENTS = 20


@dataclass(frozen=True, slots=True)
class WebhookOptions:
    """`url` may itself be a secret, and so is `secret`, with which bodies are signed."""

    url: str = field(repr=False)
    form: WebhookForm = "json"
    secret: str = field(default="", repr=False)

    @property
    def shown(self) -> str:
        """Where it leads, without what may be secret in it."""
        return f"{urlsplit(self.url).hostname}, {self.form}{', signed' if self.secret else ''}"


@dataclass(frozen=True, slots=True)
class EmailOptions:
    recipients: tuple[str, ...]
    host: str
    port: int
    tls: SmtpTls
    sender: str
    user: str = ""
    password: str = field(default="", repr=False)

    @property
    def shown(self) -> str:
        many = len(self.recipients)
        return f"{many} {'recipient' if many == 1 else 'recipients'} through {self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class AlertOptions:
    """`public` is the address under which the dashboard is reached, for links."""

    rules: AlertRules
    webhook: WebhookOptions | None = None
    email: EmailOptions | None = None
    public: PublicAddress = NOWHERE

    @property
    def channels(self) -> dict[str, str]:
        """By the name of each channel that is set: where it leads, as people may see it."""
        both = {WEBHOOK: self.webhook, EMAIL: self.email}
        return {name: options.shown for name, options in both.items() if options is not None}

    def link(self, path: str) -> str | None:
        """The address of one of our pages; None when the public address is not set."""
        return f"{self.public.origin}{self.public.path(path)}" if self.public.is_known else None


def check_webhook(url: str) -> str:
    """ValueError unless it is an address to which a webhook can be sent."""
    parts = http_url(url)
    if parts is None or parts.fragment:
        raise ValueError("allowed is https://HOST/PATH, without a name, a password or a fragment")
    return url


def read_recipients(text: str) -> tuple[str, ...]:
    """`ada@example.org, bob@example.org`; `""` is nobody. ValueError says what is wrong."""
    found = tuple(dict.fromkeys(each.strip() for each in text.split(","))) if text.strip() else ()
    if any(not _MAIL.fullmatch(each) for each in found) or len(found) > _MOST_RECIPIENTS:
        raise ValueError(f"allowed is NAME@HOST,… with at most {_MOST_RECIPIENTS} addresses")
    return found
