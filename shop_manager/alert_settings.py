"""The settings of alerts, their defaults and limits: where they go, and how often (docs/how-to/alerts.md)."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from domain.times import seconds
from messaging.settings import ServiceSettings
from shop_manager.alerts.options import (
    AlertOptions,
    EmailOptions,
    SmtpTls,
    WebhookForm,
    WebhookOptions,
    check_webhook,
    read_recipients,
)
from shop_manager.alerts.rules import AlertRules

Pause = Annotated[float, Field(ge=0, le=86_400)]


class AlertSettings(ServiceSettings):
    """Part of ShopManager's settings; times in seconds."""

    alert_webhook: SecretStr = Field(
        default=SecretStr(""), description="where alerts are posted; whoever knows the address may be able to post too"
    )
    alert_webhook_form: WebhookForm = Field(
        default="json", description="json: all facts; slack: what Slack's incoming webhooks take, and those like them"
    )
    alert_webhook_secret: SecretStr = Field(
        default=SecretStr(""), description="with which posted alerts are signed; without one they are not"
    )
    alert_email: str = Field(default="", description="to whom alerts are mailed, as NAME@HOST,…")
    alert_smtp_host: str = Field(default="", description="the mail server that takes them")
    alert_smtp_port: int = Field(default=587, ge=1, le=65535, description="its port")
    alert_smtp_tls: SmtpTls = Field(
        default="starttls", description="starttls: encrypted after the greeting; tls: from the first byte; none: never"
    )
    alert_smtp_user: str = Field(default="", description="as whom we log in there; nobody when it is not set")
    alert_smtp_password: SecretStr = Field(default=SecretStr(""), description="the password of that user")
    alert_from: str = Field(default="", description="the sender of the mails")
    alert_wait: Pause = Field(
        default=60, description="how long a cause is there before it is told, and gone before it is told to be over"
    )
    alert_quiet: Pause = Field(
        default=900, description="how long nothing more is told of a cause that is stuck, once it was told"
    )
    alert_growth: float = Field(
        default=2, gt=1, le=1000, description="so many times as many stuck Clerks of a cause are told anew"
    )

    @field_validator("alert_webhook")
    @classmethod
    def _webhook_can_be_used(cls, url: SecretStr) -> SecretStr:
        if url.get_secret_value():
            check_webhook(url.get_secret_value())
        return url

    @field_validator("alert_email", "alert_from")
    @classmethod
    def _addresses_can_be_read(cls, text: str) -> str:
        read_recipients(text)
        return text

    @model_validator(mode="after")
    def _mails_can_be_sent(self) -> Self:
        if self.alert_email and not (self.alert_smtp_host and self.alert_from):
            raise ValueError("CLERK_ALERT_EMAIL needs CLERK_ALERT_SMTP_HOST and CLERK_ALERT_FROM too")
        if len(read_recipients(self.alert_from)) > 1:
            raise ValueError("setting CLERK_ALERT_FROM: allowed is one address")
        if bool(self.alert_smtp_user) != bool(self.alert_smtp_password.get_secret_value()):
            raise ValueError("CLERK_ALERT_SMTP_USER and CLERK_ALERT_SMTP_PASSWORD are set both, or neither")
        return self

    def alerts(self) -> AlertOptions:
        """Without a channel nothing is told to anybody."""
        return AlertOptions(
            rules=AlertRules(seconds(self.alert_wait), seconds(self.alert_quiet), self.alert_growth),
            webhook=self._webhook(),
            email=self._email(),
            public=self.public_address(),
        )

    def _webhook(self) -> WebhookOptions | None:
        url = self.alert_webhook.get_secret_value()
        secret = self.alert_webhook_secret.get_secret_value()
        return WebhookOptions(url, self.alert_webhook_form, secret) if url else None

    def _email(self) -> EmailOptions | None:
        if not self.alert_email:
            return None
        return EmailOptions(
            recipients=read_recipients(self.alert_email),
            host=self.alert_smtp_host,
            port=self.alert_smtp_port,
            tls=self.alert_smtp_tls,
            sender=read_recipients(self.alert_from)[0],
            user=self.alert_smtp_user,
            password=self.alert_smtp_password.get_secret_value(),
        )
