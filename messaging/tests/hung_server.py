"""A server that takes connections and never answers, like a PostgreSQL that is stopped (SIGSTOP)."""

from __future__ import annotations

import socket
from contextlib import ExitStack

LIMIT = 30.0
"""Seconds within which whatever is awaited has to come."""


class HungServer:
    """In a `with`, at whose end all its connections are closed."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=200)
        self._listening.settimeout(LIMIT)
        self._open = ExitStack()
        self._open.callback(self._listening.close)
        self.url = f"postgresql://clerk:hush@127.0.0.1:{self._listening.getsockname()[1]}/shop"

    def __enter__(self) -> HungServer:
        return self

    def __exit__(self, *error: object) -> None:
        self._open.close()

    def takes(self, count: int) -> None:
        """Waits until so many more have connected."""
        for _ in range(count):
            taken, _ = self._listening.accept()
            self._open.callback(taken.close)
