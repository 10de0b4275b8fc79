"""The HTTP server of a process: a socket that is bound before anything else starts, and uvicorn in a thread on it.

How it defends itself against clients that hold it up: http_protocol.py and http_connections.py.
"""

from __future__ import annotations

import errno
import socket
from threading import Thread
from time import monotonic

import uvicorn
from fastapi import FastAPI

from clerk_cli.believed_proxy import BelievedProxy
from clerk_cli.errors import CliError
from clerk_cli.http_connections import ACCEPTED, Connections
from clerk_cli.http_protocol import KEPT_SECONDS, protocol_of

MOST = 4000
"""Connections at the same time, where nobody says how many."""
QUEUED = 1024
"""Connections that the system keeps for us until we accept them."""
STOP_WITHIN = 1
"""Seconds in which open requests are still answered when we stop; then their connections are closed."""


def bind(host: str, port: int) -> socket.socket:
    """A bound socket; port 0 takes a free one. CliError says why it cannot be had."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError):
        raise CliError(f"host {host!r} is no address of this machine") from None
    family, _, protocol, _, address = found[0]
    # Only where the protocol is named asyncio sets TCP_NODELAY, without which answers wait 40 ms for the client.
    bound = socket.socket(family, socket.SOCK_STREAM, protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        bound.listen(1)  # a bound socket that does not listen yet would let somebody else take the port
    except OSError as error:
        bound.close()
        raise CliError(_why(error, host, port)) from None
    return bound


def _why(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is in use: choose another with --port, or 0 for a free one"
    return f"cannot listen on {host}, port {port}: {error.strerror}"


def url_of(host: str, bound: socket.socket) -> str:
    """`http://HOST:PORT`, with the port that was really taken."""
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{bound.getsockname()[1]}"


class HttpServer:
    """uvicorn in a thread.

    `trusts_forwarded_headers`: a proxy's headers say who is calling, if it is one of FORWARDED_ALLOW_IPS.
    `connections`: how many there may be at the same time; the next one is told 503.
    """

    def __init__(
        self,
        app: FastAPI,
        bound: socket.socket,
        *,
        trusts_forwarded_headers: bool = False,
        connections: int = MOST,
    ) -> None:
        self._bound = bound
        self.connections = Connections(connections, shared=not trusts_forwarded_headers)
        self._server = uvicorn.Server(
            uvicorn.Config(
                BelievedProxy(app) if trusts_forwarded_headers else app,
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=STOP_WITHIN,
                timeout_keep_alive=KEPT_SECONDS,
                backlog=ACCEPTED,  # asyncio accepts that many before it lets any of them be counted
                loop="asyncio",
                http=protocol_of(self.connections),
                ws="none",
            )
        )
        self._thread = Thread(target=self._server.run, kwargs={"sockets": [bound]}, name="http", daemon=True)

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def start(self, limit: float = 10.0) -> None:
        """Returns when requests are answered; CliError when the server does not start."""
        self._thread.start()
        until = monotonic() + limit
        while not self._server.started:
            self._thread.join(0.005)  # ends early when the thread does
            if not self.alive or monotonic() > until:
                raise CliError("the HTTP server did not start, see the log")
        self._bound.listen(QUEUED)  # uvicorn has set the length of the queue to `backlog`

    def stop(self) -> None:
        """Take no more requests, answer those in hand."""
        self._server.should_exit = True
        if self.alive:
            self._thread.join(STOP_WITHIN + 1.0)
