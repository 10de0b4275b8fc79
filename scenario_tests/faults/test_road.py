"""The road does to a connection what its words say, and counts what it did."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from scenario_tests.faults.road import Road
from scenario_tests.waiting import until


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
def road(echo: Echo) -> Iterator[Road]:
    road = Road(echo.url)
    yield road
    road.end()


@pytest.fixture
def traveller(road: Road) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", int(road.url.rpartition(":")[2])), 10.0) as client:
        client.sendall(b"hello")
        assert client.recv(100) == b"hello"
        yield client


def is_cut(traveller: socket.socket) -> bool:
    try:
        return traveller.recv(100) == b""
    except ConnectionError:
        return True


def test_a_cut_ends_connections_and_new_ones_are_taken(road: Road, traveller: socket.socket) -> None:
    road.cut()
    assert is_cut(traveller)
    with socket.create_connection(traveller.getpeername(), 10.0) as another:
        another.sendall(b"again")
        assert another.recv(100) == b"again"


def test_a_closed_road_turns_away(road: Road, traveller: socket.socket) -> None:
    road.close()
    assert is_cut(traveller)
    with socket.create_connection(traveller.getpeername(), 10.0) as another:
        assert is_cut(another)
    assert road.turned_away == 1


@pytest.mark.parametrize(("way", "heard"), [("there", b"hello"), ("back", b"hellolost?")])
def test_what_came_to_a_blocked_way_arrives_once_it_is_healed(
    road: Road, echo: Echo, traveller: socket.socket, way: str, heard: bytes
) -> None:
    road.block("there" if way == "there" else "back")
    traveller.sendall(b"lost?")
    until(lambda: road.held == {"there": way == "there", "back": way == "back"}, "it is held")
    assert echo.heard == heard
    road.heal()
    assert traveller.recv(100) == b"lost?"


def test_a_slow_road_counts_what_is_late(road: Road, traveller: socket.socket) -> None:
    road.slow(0.05)
    traveller.sendall(b"late")
    assert traveller.recv(100) == b"late"
    assert road.late == 2 * len(b"late")


@pytest.mark.parametrize(("lets_it_pass", "heard"), [(True, b"helloCOMMIT"), (False, b"hello")])
def test_a_trap_lets_the_message_pass_or_not_but_never_its_answer(
    road: Road, echo: Echo, traveller: socket.socket, lets_it_pass: bool, heard: bytes
) -> None:
    trap = road.trap("there", b"COMMIT", lets_it_pass=lets_it_pass)
    traveller.sendall(b"COMMIT")
    assert is_cut(traveller)
    assert trap.sprung.wait(10.0)
    until(lambda: road.connections == 0, "the connection is over at both ends")
    assert echo.heard == heard
