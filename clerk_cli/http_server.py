"""The HTTP side of a process: a socket that is bound before anything else starts, and uvicorn in a thread on it."""

from __future__ import annotations

import errno
import socket
from threading import Thread
from time import monotonic

import uvicorn
from fastapi import FastAPI

from clerk_cli.errors import Trouble

LAST_ANSWERS = 1
"""Seconds that open requests have to be answered when we stop; whoever still has none is then told to come again."""


def bind(host: str, port: int) -> socket.socket:
    """A bound socket; port 0 takes a free one. Trouble says why it cannot be had."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except (OSError, UnicodeError):
        raise Trouble(f"host {host!r} is no address of this machine") from None
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        bound.listen(1)  # a bound socket that does not listen yet would let somebody else take the port
    except OSError as error:
        bound.close()
        raise Trouble(_why(error, host, port)) from None
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
    """uvicorn in a thread. `behind_front`: believe the front's word on who is calling (FORWARDED_ALLOW_IPS)."""

    def __init__(self, app: FastAPI, bound: socket.socket, *, behind_front: bool = False) -> None:
        self._server = uvicorn.Server(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=behind_front,
                timeout_graceful_shutdown=LAST_ANSWERS,
                loop="asyncio",
                http="h11",
                ws="none",
            )
        )
        self._thread = Thread(target=self._server.run, kwargs={"sockets": [bound]}, name="http", daemon=True)

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def start(self, limit: float = 10.0) -> None:
        """Returns when requests are answered; Trouble when they will not be."""
        self._thread.start()
        until = monotonic() + limit
        while not self._server.started:
            self._thread.join(0.005)  # ends early when the thread does
            if not self.alive or monotonic() > until:
                raise Trouble("the HTTP server did not start, see the log")

    def stop(self) -> None:
        """Take no more requests, answer those in hand."""
        self._server.should_exit = True
        if self.alive:
            self._thread.join(LAST_ANSWERS + 1.0)
