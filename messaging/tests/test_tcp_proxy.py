"""TcpProxy: each of its faults does to connections what it says, and is counted."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from messaging.tests.brokers import eventually
from messaging.tests.tcp_proxy import Direction, TcpProxy


class Echo:
    """A server that sends everything back, and keeps what it was sent."""

    def __init__(self) -> None:
        self.heard = b""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"tcp://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(client,), daemon=True).start()

    def _answer(self, client: socket.socket) -> None:
        with client:
            try:
                while data := client.recv(1000):
                    self.heard += data
                    client.sendall(data)
            except OSError:
                return

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@pytest.fixture
def echo() -> Iterator[Echo]:
    server = Echo()
    yield server
    server.close()


@pytest.fixture
def proxy(echo: Echo) -> Iterator[TcpProxy]:
    proxy = TcpProxy(echo.url)
    yield proxy
    proxy.close()


@pytest.fixture
def client(proxy: TcpProxy) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", int(proxy.url.rpartition(":")[2])), 10.0) as client:
        client.sendall(b"hello")
        assert client.recv(100) == b"hello"
        yield client


def is_cut(client: socket.socket) -> bool:
    try:
        return client.recv(100) == b""
    except ConnectionError:
        return True


def test_a_cut_ends_connections_and_new_ones_are_taken(proxy: TcpProxy, client: socket.socket) -> None:
    proxy.cut()
    assert is_cut(client)
    with socket.create_connection(client.getpeername(), 10.0) as another:
        another.sendall(b"again")
        assert another.recv(100) == b"again"


def test_a_proxy_that_rejects_closes_what_it_accepts(proxy: TcpProxy, client: socket.socket) -> None:
    proxy.reject()
    assert is_cut(client)
    with socket.create_connection(client.getpeername(), 10.0) as another:
        assert is_cut(another)
    assert proxy.rejected == 1


@pytest.mark.parametrize(("direction", "heard"), [("there", b"hello"), ("back", b"hellolost?")])
def test_what_came_to_a_blocked_direction_arrives_once_it_is_healed(
    proxy: TcpProxy, echo: Echo, client: socket.socket, direction: Direction, heard: bytes
) -> None:
    proxy.block(direction)
    client.sendall(b"lost?")
    eventually(lambda: proxy.held == {"there": direction == "there", "back": direction == "back"}, "it is held")
    assert echo.heard == heard
    proxy.heal()
    assert client.recv(100) == b"lost?"


def test_after_a_refusal_the_same_port_is_served_again(proxy: TcpProxy, client: socket.socket) -> None:
    address = client.getpeername()
    proxy.refuse()
    assert is_cut(client)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address, 10.0)
    proxy.listen()
    with socket.create_connection(address, 10.0) as another:
        another.sendall(b"again")
        assert another.recv(100) == b"again"


def test_a_slow_proxy_counts_what_is_late(proxy: TcpProxy, client: socket.socket) -> None:
    proxy.slow(0.05)
    client.sendall(b"late")
    assert client.recv(100) == b"late"
    assert proxy.late == 2 * len(b"late")


@pytest.mark.parametrize(("lets_it_pass", "heard"), [(True, b"helloCOMMIT"), (False, b"hello")])
def test_a_trap_lets_the_message_pass_or_not_but_never_its_answer(
    proxy: TcpProxy, echo: Echo, client: socket.socket, lets_it_pass: bool, heard: bytes
) -> None:
    trap = proxy.trap("there", b"COMMIT", lets_it_pass=lets_it_pass)
    client.sendall(b"COMMIT")
    assert is_cut(client)
    assert trap.sprung.wait(10.0)
    eventually(lambda: proxy.connections == 0, "the connection is over at both ends")
    assert echo.heard == heard
