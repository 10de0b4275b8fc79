"""The webhook and the mail, to real servers on this machine: what they say, what they never do, what fails how."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import pytest

from domain.times import to_wire
from scenario_tests.servers.certificates import Authority
from shop_manager.alerts import mail, webhook
from shop_manager.alerts.delivery import NotDelivered
from shop_manager.alerts.mail import Mail
from shop_manager.alerts.options import EmailOptions, SmtpTls, WebhookOptions
from shop_manager.alerts.rules import CauseKey, Word
from shop_manager.alerts.tests.receivers import HttpReceiver, MailReceiver, http_receiver, mail_receiver
from shop_manager.alerts.webhook import Webhook, sign
from shop_manager.alerts.wording import facts

NOON = 1_764_000_000_000
SECRET = "c2f0a4c6e1b94f6d8a7e5b3d1f9c0e2a"
CAUSE = {
    "money_at_risk": {"EUR": 2590},
    "oldest_since": to_wire(NOON),
    "oldest_seconds": 61,
    "money_to_settle": {},
    "runbook": None,
}
KEY = CauseKey("standard/1", "capture", "no_answer", "no_answer")
ALERT = facts(Word("alt_2", "stuck", KEY, 30, 0, "alt_2"), "payment", CAUSE, NOON, "https://shop.example/dashboard")
LATER = {**ALERT, "id": "alt_3", "what": "grown", "count": 60}


@pytest.fixture
def receiver() -> Iterator[HttpReceiver]:
    with http_receiver() as receiver:
        yield receiver


# --- webhook ---------------------------------------------------------------------------------------------------------


def test_the_webhook_gets_all_facts_and_the_id_as_a_header(receiver: HttpReceiver) -> None:
    assert Webhook(WebhookOptions(receiver.url)).send(ALERT, NOON) == ""
    [got] = receiver.received
    assert got.path == "/hook/of-ours"
    assert got.alert == {**ALERT, "text": "30 orders stuck: no answer at capture (payment)"}
    assert got.headers["Idempotency-Key"] == "alt_2" and "Clerk-Signature" not in got.headers


def test_slack_gets_a_text(receiver: HttpReceiver) -> None:
    Webhook(WebhookOptions(receiver.url, "slack")).send(ALERT, NOON)
    assert list(receiver.alerts[0]) == ["text"]


def test_a_body_is_signed_over_its_time_with_the_secret(receiver: HttpReceiver) -> None:
    Webhook(WebhookOptions(receiver.url, "json", SECRET)).send(ALERT, NOON)
    [got] = receiver.received
    assert got.headers["Clerk-Signature"] == sign(SECRET, got.body, NOON)
    assert got.headers["Clerk-Signature"].startswith("t=1764000000,v1=")
    assert sign(SECRET, got.body + b" ", NOON) != sign(SECRET, got.body, NOON)


@pytest.mark.parametrize("status", [400, 404, 429, 500, 503])
def test_any_answer_but_yes_is_a_failure(receiver: HttpReceiver, status: int) -> None:
    receiver.status = status
    with pytest.raises(NotDelivered, match=f"it answered {status}"):
        Webhook(WebhookOptions(receiver.url)).send(ALERT, NOON)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_S6_no_redirect_is_followed(receiver: HttpReceiver, status: int) -> None:
    with http_receiver() as elsewhere:
        receiver.status, receiver.location = status, elsewhere.url
        with pytest.raises(NotDelivered, match="no redirect is followed"):
            Webhook(WebhookOptions(receiver.url)).send(ALERT, NOON)
        assert elsewhere.received == [] and elsewhere.refused == 0


def test_one_who_hangs_and_one_who_is_not_there_are_failures_that_name_no_address(
    receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "TIMEOUT", httpx.Timeout(0.3))
    receiver.hangs = Event()
    with pytest.raises(NotDelivered, match="no answer: ReadTimeout") as hung:
        Webhook(WebhookOptions(receiver.url)).send(ALERT, NOON)
    with pytest.raises(NotDelivered, match="no answer: Connect") as gone:
        Webhook(WebhookOptions("http://127.0.0.1:1/secret-in-the-path")).send(ALERT, NOON)
    assert "of-ours" not in str(hung.value) and "secret" not in str(gone.value)


def test_options_show_no_secret() -> None:
    options = WebhookOptions("https://hooks.test/services/T0/B0/xyz", "slack", SECRET)
    assert options.shown == "hooks.test, slack, signed"
    assert "xyz" not in repr(options) and SECRET not in repr(options)


# --- mail ------------------------------------------------------------------------------------------------------------


def mail_to(receiver: MailReceiver, tls: SmtpTls = "none", **more: Any) -> Mail:
    recipients = ("night@example.org", "boss@example.org")
    return Mail(EmailOptions(recipients, "127.0.0.1", receiver.port, tls, "clerk@shop.example", **more))


def test_a_mail_says_what_is_stuck_and_all_of_an_episode_are_one_thread() -> None:
    with mail_receiver() as receiver:
        channel = mail_to(receiver)
        assert channel.send(ALERT, NOON) == ""
        channel.send(LATER, NOON)
    first, second = receiver.received
    assert first["Subject"] == "[Shop Clerk] 30 orders stuck: no answer at capture (payment)"
    assert (first["From"], first["To"]) == ("clerk@shop.example", "night@example.org, boss@example.org")
    assert first["Message-ID"] == "<alt_2@shop.example>" and first["In-Reply-To"] is None
    assert second["In-Reply-To"] == "<alt_2@shop.example>" and second["Message-ID"] == "<alt_3@shop.example>"
    assert first["Auto-Submitted"] == "auto-generated" and first["Clerk-Alert-Id"] == "alt_2"
    payload = first.get_payload(decode=True)
    assert isinstance(payload, bytes)
    assert "Money at risk: €25.90" in payload.decode() and "https://shop.example/dashboard" in payload.decode()


@pytest.mark.parametrize("answer", ["451 come again", "554 no"])
def test_a_mail_server_that_refuses_is_a_failure(answer: str) -> None:
    with mail_receiver() as receiver:
        receiver.answer = answer
        with pytest.raises(NotDelivered, match=f"the mail server answered {answer[:3]}"):
            mail_to(receiver).send(ALERT, NOON)


def test_one_unknown_recipient_holds_up_nobody_else_and_all_unknown_are_a_failure() -> None:
    with mail_receiver() as receiver:
        receiver.unknown = {"boss@example.org"}
        assert mail_to(receiver).send(ALERT, NOON) == "the mail server refuses 1 of 2 recipients"
        receiver.unknown = {"boss@example.org", "night@example.org"}
        with pytest.raises(NotDelivered, match="refuses every recipient"):
            mail_to(receiver).send(ALERT, NOON)
    assert len(receiver.received) == 1


def test_no_mail_server_is_a_failure() -> None:
    with pytest.raises(NotDelivered, match="does not take it: ConnectionRefusedError"):
        Mail(EmailOptions(("a@example.org",), "127.0.0.1", 1, "none", "c@shop.example")).send(ALERT, NOON)


def test_a_user_logs_in_over_tls_only_and_the_certificate_is_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority(tmp_path / "authority")
    certificate = authority.certificate("server")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate.file, certificate.key)
    with mail_receiver(tls_context=context) as receiver:
        channel = mail_to(receiver, "starttls", user="clerk", password="let me in please")
        with pytest.raises(NotDelivered, match="SSLCertVerificationError"):
            channel.send(ALERT, NOON)
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
        mail_to(receiver, "starttls", user="clerk", password="let me in please").send(ALERT, NOON)
        with pytest.raises(NotDelivered, match="mail server"):
            mail_to(receiver, "none", user="clerk", password="let me in please").send(ALERT, NOON)
    assert receiver.logins == [(b"clerk", b"let me in please")]
    assert len(receiver.received) == 1
    assert mail.TIMEOUT <= 5
