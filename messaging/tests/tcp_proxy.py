"""A TCP proxy between a process and one of its servers: connections can be cut, refused, blocked in one direction or
both, slowed, or cut at a certain message.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

Direction = Literal["there", "back"]
CONFIRM = b"\x00\x3c\x00\x50"
"""AMQP's basic.ack, `back`: the broker's confirm of what was published."""
COMMIT = b"COMMIT\x00"
"""PostgreSQL's simple query, `there`."""


@dataclass(eq=False)
class Trap:
    """Cuts the connection on which `mark` passes by, once. `lets_it_pass`: the mark itself still arrives."""

    direction: Direction
    mark: bytes
    lets_it_pass: bool
    sprung: threading.Event = field(default_factory=threading.Event)


@dataclass(eq=False)
class _Pair:
    """One connection: the client's end and the server's."""

    client: socket.socket
    server: socket.socket

    def cut(self) -> None:
        for one in (self.client, self.server):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


class TcpProxy:
    """Listens on a port of its own and forwards to the server of `url`; the instance's `url` leads through it.

    `query` replaces the query of the URL, if given.
    """

    def __init__(self, url: str, query: str | None = None) -> None:
        parts = urlsplit(url)
        self._target = (parts.hostname or "127.0.0.1", parts.port or 0)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._port: int = self._listener.getsockname()[1]
        user = parts.netloc.rpartition("@")[0]
        through = parts._replace(netloc=f"{user}@127.0.0.1:{self._port}")
        self.url = (through if query is None else through._replace(query=query)).geturl()
        self.held: dict[Direction, int] = {"there": 0, "back": 0}
        """How often something had to wait in a blocked direction."""
        self.late = 0
        """Bytes that were forwarded while the proxy was slow."""
        self.rejected = 0
        """Connections that were accepted and closed at once, after `reject`."""
        self._pairs: list[_Pair] = []
        self._open: dict[Direction, threading.Event] = {"there": threading.Event(), "back": threading.Event()}
        self._rejecting = False
        self._delay = 0.0
        self._traps: list[Trap] = []
        self._lock = threading.Lock()
        self.heal()
        self._start_accepting()

    @property
    def connections(self) -> int:
        with self._lock:
            return len(self._pairs)

    @property
    def ports(self) -> list[int]:
        """The client ports of our connections, as the server sees them."""
        with self._lock:
            return [int(pair.server.getsockname()[1]) for pair in self._pairs]

    def cut(self) -> None:
        """End every connection now; new ones are taken."""
        with self._lock:
            pairs, self._pairs = self._pairs, []
        for pair in pairs:
            pair.cut()

    def reject(self) -> None:
        """Cut, and close every new connection at once, until `heal`."""
        self._rejecting = True
        self.cut()

    def refuse(self) -> None:
        """Cut, and stop listening: the system refuses new connections, until `listen`."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def listen(self) -> None:
        """After `refuse`: take connections again, on the same port."""
        self._listener = socket.create_server(("127.0.0.1", self._port))
        self._start_accepting()

    def block(self, *directions: Direction) -> None:
        """A black hole in these directions, or both: connections stay, nothing passes until `heal`."""
        for direction in directions or ("there", "back"):
            self._open[direction].clear()

    def slow(self, seconds: float) -> None:
        """Forward everything so many seconds later."""
        self._delay = seconds

    def trap(self, direction: Direction, mark: bytes, *, lets_it_pass: bool) -> Trap:
        """Set a trap; it is gone once it has sprung, or with `heal`."""
        trap = Trap(direction, mark, lets_it_pass)
        with self._lock:
            self._traps.append(trap)
        return trap

    def heal(self) -> None:
        """Undo `reject`, `block`, `slow` and `trap`. Connections that were cut stay cut."""
        self._rejecting, self._delay = False, 0.0
        with self._lock:
            self._traps.clear()
        for gate in self._open.values():
            gate.set()

    def close(self) -> None:
        """End all connections and stop listening, for good."""
        self.refuse()
        for gate in self._open.values():
            gate.set()

    def _start_accepting(self) -> None:
        threading.Thread(target=self._accept, args=(self._listener,), name="proxy", daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            if self._rejecting:
                self.rejected += 1
                client.close()
            elif not self._connect(client):
                client.close()

    def _connect(self, client: socket.socket) -> bool:
        """Connect it to the server and forward both ways. False when the server does not answer."""
        try:
            server = socket.create_connection(self._target, 5.0)
        except OSError:
            return False
        server.settimeout(None)
        for one in (client, server):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        pair = _Pair(client, server)
        with self._lock:
            self._pairs.append(pair)
        ends: tuple[tuple[Direction, socket.socket, socket.socket], ...] = (
            ("there", client, server),
            ("back", server, client),
        )
        carriers = [threading.Thread(target=self._forward_all, args=(pair, *end), daemon=True) for end in ends]
        for carrier in carriers:
            carrier.start()
        threading.Thread(target=self._close_after, args=(pair, carriers), daemon=True).start()
        return True

    def _forward_all(self, pair: _Pair, direction: Direction, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if self._delay:
                    self.late += len(data)
                    threading.Event().wait(self._delay)
                if not self._open[direction].is_set():
                    self.held[direction] += 1
                    self._open[direction].wait()
                if not self._pass(direction, data, source, sink):
                    break
        pair.cut()

    def _pass(self, direction: Direction, data: bytes, source: socket.socket, sink: socket.socket) -> bool:
        """False when a trap has sprung: this connection is over."""
        trap = self._sprung_by(direction, data)
        if trap is not None and trap.lets_it_pass:
            source.shutdown(socket.SHUT_RDWR)  # first, so that the answer to it cannot be quicker than the cut
        if trap is None or trap.lets_it_pass:
            sink.sendall(data)
        if trap is not None:
            trap.sprung.set()
        return trap is None

    def _sprung_by(self, direction: Direction, data: bytes) -> Trap | None:
        with self._lock:
            trap = next((one for one in self._traps if one.direction == direction and one.mark in data), None)
            if trap is not None:
                self._traps.remove(trap)
        return trap

    def _close_after(self, pair: _Pair, carriers: list[threading.Thread]) -> None:
        for carrier in carriers:
            carrier.join()
        pair.client.close()
        pair.server.close()
        with self._lock:
            if pair in self._pairs:
                self._pairs.remove(pair)
