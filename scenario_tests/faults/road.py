"""A road between a process and one of its servers, which can be cut, blocked one way or both, slowed, or broken at a
certain message. It is a TCP proxy on this machine.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

Way = Literal["there", "back"]
CONFIRM = b"\x00\x3c\x00\x50"
"""AMQP's basic.ack, `back`: the broker's confirm of what was published."""
COMMIT = b"COMMIT\x00"
"""PostgreSQL's simple query, `there`."""


@dataclass(eq=False)
class Trap:
    """Cuts the connection on which `mark` passes by, once. `lets_it_pass`: the mark itself still arrives."""

    way: Way
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


class Road:
    """Between its own port and the place that `url` names; the `url` of the instance leads through it."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._target = (parts.hostname or "127.0.0.1", parts.port or 0)
        self._listener = socket.create_server(("127.0.0.1", 0))
        user = parts.netloc.rpartition("@")[0]
        port = self._listener.getsockname()[1]
        self.url = parts._replace(netloc=f"{user}@127.0.0.1:{port}").geturl()
        self.passed = 0
        """Bytes that went by, both ways together."""
        self.held: dict[Way, int] = {"there": 0, "back": 0}
        """How often something came to a blocked way."""
        self.late = 0
        """Bytes that went by while the road was slow."""
        self.turned_away = 0
        """How many found the road closed."""
        self._pairs: list[_Pair] = []
        self._open: dict[Way, threading.Event] = {"there": threading.Event(), "back": threading.Event()}
        self._closed = False
        self._delay = 0.0
        self._traps: list[Trap] = []
        self._lock = threading.Lock()
        self.heal()
        threading.Thread(target=self._accept, name="road", daemon=True).start()

    @property
    def connections(self) -> int:
        with self._lock:
            return len(self._pairs)

    @property
    def ports(self) -> list[int]:
        """From which our connections come, as the server sees them."""
        with self._lock:
            return [int(pair.server.getsockname()[1]) for pair in self._pairs]

    def cut(self) -> None:
        """Every connection ends now, without a word; new ones are taken."""
        with self._lock:
            pairs, self._pairs = self._pairs, []
        for pair in pairs:
            pair.cut()

    def close(self) -> None:
        """Cut, and whoever comes is turned away."""
        self._closed = True
        self.cut()

    def block(self, *ways: Way) -> None:
        """A black hole: connections stay, nothing passes, in these directions or both. It arrives once healed."""
        for way in ways or ("there", "back"):
            self._open[way].clear()

    def slow(self, seconds: float) -> None:
        """Everything is that much later."""
        self._delay = seconds

    def trap(self, way: Way, mark: bytes, *, lets_it_pass: bool) -> Trap:
        """Set a trap; it is gone once it has sprung, or with `heal`."""
        trap = Trap(way, mark, lets_it_pass)
        with self._lock:
            self._traps.append(trap)
        return trap

    def heal(self) -> None:
        """As new. Connections that were cut stay cut."""
        self._closed, self._delay = False, 0.0
        with self._lock:
            self._traps.clear()
        for gate in self._open.values():
            gate.set()

    def end(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.close()
        for gate in self._open.values():
            gate.set()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self._closed:
                self.turned_away += 1
                client.close()
            elif not self._lead(client):
                client.close()

    def _lead(self, client: socket.socket) -> bool:
        """False when there is nobody at the other end."""
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
        ends: tuple[tuple[Way, socket.socket, socket.socket], ...] = (
            ("there", client, server),
            ("back", server, client),
        )
        carriers = [threading.Thread(target=self._carry, args=(pair, *end), daemon=True) for end in ends]
        for carrier in carriers:
            carrier.start()
        threading.Thread(target=self._bury, args=(pair, carriers), daemon=True).start()
        return True

    def _carry(self, pair: _Pair, way: Way, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if self._delay:
                    self.late += len(data)
                    threading.Event().wait(self._delay)
                if not self._open[way].is_set():
                    self.held[way] += 1
                    self._open[way].wait()
                if not self._pass(way, data, source, sink):
                    break
        pair.cut()

    def _pass(self, way: Way, data: bytes, source: socket.socket, sink: socket.socket) -> bool:
        """False when a trap has sprung: this connection is over."""
        trap = self._sprung_by(way, data)
        if trap is not None and trap.lets_it_pass:
            source.shutdown(socket.SHUT_RDWR)  # first, so that the answer to it cannot be quicker than the cut
        if trap is None or trap.lets_it_pass:
            sink.sendall(data)
            self.passed += len(data)
        if trap is not None:
            trap.sprung.set()
        return trap is None

    def _sprung_by(self, way: Way, data: bytes) -> Trap | None:
        with self._lock:
            trap = next((one for one in self._traps if one.way == way and one.mark in data), None)
            if trap is not None:
                self._traps.remove(trap)
        return trap

    def _bury(self, pair: _Pair, carriers: list[threading.Thread]) -> None:
        for carrier in carriers:
            carrier.join()
        pair.client.close()
        pair.server.close()
        with self._lock:
            if pair in self._pairs:
                self._pairs.remove(pair)
