"""A network that can fail: a TCP proxy that cuts, refuses, or swallows what passes."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from urllib.parse import urlsplit


class Network:
    """Between its own port and the place that `url` names. `url` of the instance leads through it."""

    def __init__(self, url: str, query: str = "") -> None:
        parts = urlsplit(url)
        self._target = (parts.hostname or "127.0.0.1", parts.port or 5672)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._port: int = self._listener.getsockname()[1]
        user = parts.netloc.rpartition("@")[0]
        self.url = parts._replace(netloc=f"{user}@127.0.0.1:{self._port}", query=query).geturl()
        self._open: list[socket.socket] = []
        self._passing = threading.Event()
        self._passing.set()
        self._threads: list[threading.Thread] = []
        self._run(self._accept, self._listener)

    def cut(self) -> None:
        """Every connection ends now, without a word."""
        for one in self._open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self._open.clear()

    def refuse(self) -> None:
        """Cut, and nobody listens any more."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def listen(self) -> None:
        """Take connections again, on the same port."""
        self._listener = socket.create_server(("127.0.0.1", self._port))
        self._run(self._accept, self._listener)

    def swallow(self) -> None:
        """A black hole: connections stay, nothing passes."""
        self._passing.clear()

    def heal(self) -> None:
        self._passing.set()

    def close(self) -> None:
        self.refuse()
        self._passing.set()
        for thread in self._threads:
            thread.join(5)

    def _run(self, work: object, *arguments: socket.socket) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)  # type: ignore[arg-type]  # a bound method
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
                server = socket.create_connection(self._target)
            except OSError:
                return
            self._open += [client, server]
            self._run(self._carry, client, server)
            self._run(self._carry, server, client)

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                self._passing.wait()
                sink.sendall(data)
        for one in (source, sink):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        source.close()
