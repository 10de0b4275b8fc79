"""Receivers of alerts on this machine: an HTTP server and a mail server that keep what comes, and can refuse it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any, NamedTuple

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from scenario_tests.servers.ports import free_ports


class Received(NamedTuple):
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def alert(self) -> Any:
        return json.loads(self.body)


@dataclass
class HttpReceiver:
    """`status` is what it answers, `location` where it sends callers; while `hangs` it says nothing."""

    url: str = ""
    status: int = 204
    location: str = ""
    hangs: Event | None = None
    received: list[Received] = field(default_factory=list)
    asked: int = 0
    refused: int = 0

    @property
    def alerts(self) -> list[Any]:
        """The bodies of what it has taken, in order."""
        return [each.alert for each in self.received]


@contextmanager
def http_receiver() -> Iterator[HttpReceiver]:
    receiver = HttpReceiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.asked += 1
            if receiver.hangs is not None:
                receiver.hangs.wait(60)
            if receiver.status < 300:
                receiver.received.append(Received(self.path, dict(self.headers), body))
            else:
                receiver.refused += 1
            with suppress(ConnectionError):  # who was kept waiting has gone
                self._answer()

        def _answer(self) -> None:
            self.send_response(receiver.status)
            if receiver.location:
                self.send_header("Location", receiver.location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            """Nothing is printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_port}/hook/of-ours"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield receiver
    finally:
        if receiver.hangs is not None:
            receiver.hangs.set()
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class MailReceiver:
    """`answer` is what it says to a message; addresses in `unknown` are refused."""

    port: int
    answer: str = "250 taken"
    unknown: set[str] = field(default_factory=set)
    logins: list[tuple[bytes, bytes]] = field(default_factory=list)
    received: list[Message] = field(default_factory=list)

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address in self.unknown:
            return "550 nobody is called so"
        envelope.rcpt_tos.append(address)
        return "250 known"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        if self.answer.startswith("2"):
            assert isinstance(envelope.content, bytes)
            self.received.append(message_from_bytes(envelope.content))
        return self.answer

    def authenticates(self, _server: SMTP, _session: Session, _envelope: Envelope, mechanism: str, data: Any) -> Any:
        self.logins.append((data.login, data.password))
        return AuthResult(success=True)


@contextmanager
def mail_receiver(**options: Any) -> Iterator[MailReceiver]:
    """`options` are aiosmtpd's, such as `tls_context` for STARTTLS."""
    receiver = MailReceiver(free_ports(1)[0])
    controller = Controller(
        receiver, hostname="127.0.0.1", port=receiver.port, authenticator=receiver.authenticates, **options
    )
    controller.start()
    try:
        yield receiver
    finally:
        controller.stop()
