"""uvicorn's HTTP/1.1 protocol with limits: on the time of each part of a request, and on how many are connected.

What a client may hold up, and for how long: a request's headers HEAD_SECONDS from their first byte (the first
request's: from the connection on), the rest of a body that nobody wants REST_SECONDS, an answer that it does not read
UNREAD_SECONDS, its next request KEPT_SECONDS. A body that is wanted has the application's own limit.
"""

from __future__ import annotations

from asyncio import BaseTransport, Transport
from email.utils import formatdate
from http import HTTPStatus
from math import inf
from typing import Any, ClassVar, Literal, cast

import h11
import orjson
import structlog
from uvicorn.protocols.http.h11_impl import H11Protocol

from clerk_cli.http_connections import Connections
from clerk_cli.http_strict import StrictConnection
from http_api.problems import MEDIA_TYPE, Problem
from http_api.request import accepted_request_id, origin
from http_api.request_context import ALWAYS

HEAD_SECONDS = 10.0
REST_SECONDS = 10.0
UNREAD_SECONDS = 20.0
KEPT_SECONDS = 75
LEAVE_SECONDS = 2.0
"""After the last answer: what still comes is read and dropped, for closing at once would lose the answer."""
UNREAD_STEP = 8 * 1024
"""Bytes that a slow reader has to take within UNREAD_SECONDS."""
COME_AGAIN = 5
"""Seconds, for `Retry-After`, where there is no place."""
Phase = Literal["head", "answer", "rest", "wait", "left"]
ALLOWED: dict[Phase, float] = {"head": HEAD_SECONDS, "rest": REST_SECONDS, "wait": KEPT_SECONDS, "left": LEAVE_SECONDS}
log = structlog.get_logger()


class GuardedProtocol(H11Protocol):
    """One connection. `table` has all those of its server."""

    table: ClassVar[Connections]

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.conn = StrictConnection()
        self.address = "unknown"
        self.phase: Phase = "head"
        self._due = inf
        self._unsent, self._unread_since = 0, inf

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(cast("Transport", transport))
        self.address = origin({"client": self.client}).address
        self._enter("head")
        self.table.keep_time(self.loop)
        if not self.table.admit(self):
            log.warning("connections_full", address=self.address, places=self.table.most)
            self._leave(Problem("overloaded", "Too many connections are open.", retry_after=COME_AGAIN))

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.table.forget(self)

    def data_received(self, data: bytes) -> None:
        if self.phase != "left":
            super().data_received(data)
            self._look()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._look()

    def send_400_response(self, msg: str) -> None:
        """What uvicorn does with bytes that are no HTTP."""
        code = "headers_too_large" if cast("StrictConnection", self.conn).too_large else "malformed_request"
        log.warning("request_refused", code=code, address=self.address)
        self._leave(Problem(code))

    def timeout_keep_alive_handler(self) -> None:
        """uvicorn's own limit on waiting connections: `check_time` keeps it, and knows what is unsent."""

    def shutdown(self) -> None:
        if self.phase == "left":
            self.abort()
        else:
            super().shutdown()

    def give_way(self) -> None:
        """Close; the client waits for nothing."""
        self._unset_keepalive_if_required()
        self.transport.close()

    def abort(self) -> None:
        """Close at once, whatever is unsent."""
        self.transport.abort()

    def check_time(self, now: float) -> None:
        """Called often: end what has had its time. `now` in seconds, of the event loop."""
        self._look()
        if self._is_not_read(now):
            log.warning("answer_not_read", address=self.address)
            self.abort()
        elif now >= self._due:
            self._out_of_time()

    def _out_of_time(self) -> None:
        if self.phase == "head":
            if self.conn.trailing_data[0]:  # browsers connect in advance: to have sent nothing yet is no trouble
                log.warning("headers_too_slow", address=self.address)
            self._leave(Problem("request_timeout", "The headers came too slowly."))
        elif self.phase == "wait":
            self.give_way()
        else:
            self.abort()

    def _is_not_read(self, now: float) -> bool:
        """Has the client taken nothing, or next to nothing, of its answer for UNREAD_SECONDS?"""
        unsent = self.transport.get_write_buffer_size()
        if unsent == 0:
            self._unread_since = inf
        elif self._unread_since == inf or unsent <= self._unsent - UNREAD_STEP:
            self._unread_since, self._unsent = now, unsent
        self._unsent = max(self._unsent, unsent)
        return now - self._unread_since >= UNREAD_SECONDS

    def _look(self) -> None:
        """At which part of a request we are now."""
        now_at = self._phase_now()
        if now_at == self.phase:
            return
        self._enter(now_at)
        if now_at == "wait":
            self.table.waits(self)
        else:
            self.table.works(self)

    def _phase_now(self) -> Phase:
        if self.phase == "left":
            return "left"
        unanswered = self.cycle is not None and not self.cycle.response_complete
        if unanswered or self.transport.get_write_buffer_size() or self.transport.is_closing():
            return "answer"
        if self.conn.their_state is h11.SEND_BODY:
            return "rest"
        unread = self.conn.their_state is h11.IDLE and self.conn.trailing_data[0]
        return "head" if unread or self.cycle is None else "wait"

    def _enter(self, phase: Phase) -> None:
        self.phase = phase
        self._due = self.loop.time() + ALLOWED.get(phase, inf)

    def _leave(self, problem: Problem) -> None:
        """Give this last answer and close; where half an answer is out already, only close."""
        cycle = self.cycle
        self._enter("left")
        self._unset_keepalive_if_required()
        if cycle is not None and not cycle.response_complete:
            cycle.disconnected = True  # the application's answer is not wanted any more
            cycle.message_event.set()
        if self.transport.is_closing() or (cycle is not None and cycle.disconnected and cycle.response_started):
            self.abort()
            return
        self.transport.write(as_bytes(problem))
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.flow.resume_reading()
        self.table.leaves(self)

    def _unsupported_upgrade_warning(self) -> None:
        """To be offered another protocol is no trouble: we just go on in HTTP/1.1."""


def protocol_of(connections: Connections) -> type[GuardedProtocol]:
    """The protocol whose connections are counted there."""
    return type("CountedProtocol", (GuardedProtocol,), {"table": connections})


def as_bytes(problem: Problem) -> bytes:
    """The whole response, after which the connection is closed; for what never reaches the application."""
    name = accepted_request_id(None)
    body = orjson.dumps(problem.body(name))
    headers = {
        "Date": formatdate(usegmt=True),
        "Content-Type": MEDIA_TYPE,
        "Content-Length": str(len(body)),
        "Connection": "close",
        "Request-Id": name,
        **dict(ALWAYS),
        **problem.headers,
    }
    status = HTTPStatus(problem.known.status)
    lines = [f"HTTP/1.1 {status.value} {status.phrase}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body
