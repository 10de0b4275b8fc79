"""Alerts as mails, through the deployer's own SMTP server. All of one episode belong to one thread."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any

from shop_manager.alerts.delivery import NotDelivered
from shop_manager.alerts.options import EMAIL, EmailOptions
from shop_manager.alerts.wording import as_mail

TIMEOUT = 5.0
"""Seconds for which the server may be silent."""


class Mail:
    """The channel `email`."""

    name = EMAIL

    def __init__(self, options: EmailOptions) -> None:
        self._options = options
        self._trusted = ssl.create_default_context()

    def send(self, alert: Mapping[str, Any], now: int) -> str:
        message = self._message(alert, now)
        try:
            with self._server() as server:
                refused = server.send_message(message, self._options.sender, list(self._options.recipients))
        except smtplib.SMTPResponseException as error:
            raise NotDelivered(f"the mail server answered {error.smtp_code}") from None
        except smtplib.SMTPRecipientsRefused:
            raise NotDelivered("the mail server refuses every recipient") from None
        except (smtplib.SMTPException, OSError) as error:
            raise NotDelivered(f"the mail server does not take it: {type(error).__name__}") from None
        many = len(refused)
        return f"the mail server refuses {many} of {len(self._options.recipients)} recipients" if many else ""

    def _server(self) -> smtplib.SMTP:
        options = self._options
        if options.tls == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(options.host, options.port, timeout=TIMEOUT, context=self._trusted)
        else:
            server = smtplib.SMTP(options.host, options.port, timeout=TIMEOUT)
        try:
            if options.tls == "starttls":
                server.starttls(context=self._trusted)
            if options.user:
                server.login(options.user, options.password)
        except BaseException:
            server.close()
            raise
        return server

    def _message(self, alert: Mapping[str, Any], now: int) -> EmailMessage:
        """The id of the mail is that of the alert: a mail that comes twice is the same mail."""
        host = self._options.sender.rpartition("@")[2]
        message = EmailMessage()
        message["Subject"], text = as_mail(alert)
        message["From"] = self._options.sender
        message["To"] = ", ".join(self._options.recipients)
        message["Date"] = format_datetime(datetime.fromtimestamp(now / 1000, UTC))
        message["Message-ID"] = f"<{alert['id']}@{host}>"
        if alert["episode"] != alert["id"]:
            message["In-Reply-To"] = message["References"] = f"<{alert['episode']}@{host}>"
        message["Auto-Submitted"] = "auto-generated"
        message["Clerk-Alert-Id"] = alert["id"]
        message.set_content(text)
        return message
