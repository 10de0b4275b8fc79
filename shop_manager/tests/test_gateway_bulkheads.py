"""A service that hangs holds up nobody but those who ask for it, and those not for long; with real connections."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from threading import Event, Thread
from time import monotonic
from typing import Any

import pytest
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from clerk_cli.tests.http_under_test import LIMIT, Caller, ServerUnderTest
from domain.public_url import PublicAddress
from http_api import verified_callers
from http_api.health import health_router
from http_api.install_middleware import install_middleware
from http_api.keys import Holder, KeyCheck, KeyFault, new_key
from http_api.rate_limits import Limits
from http_api.routes import add_routes
from shop_manager import gateway
from shop_manager.gateway import GatewayFigures, gateway_router, services_behind


class HungService:
    """Takes connections, and never answers."""

    def __init__(self, backlog: int = 100) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=backlog)
        self._listening.settimeout(LIMIT)
        self._open = ExitStack()
        self._open.callback(self._listening.close)
        self.address: tuple[str, int] = self._listening.getsockname()
        self.url = f"http://127.0.0.1:{self.address[1]}"

    def takes(self, count: int) -> list[socket.socket]:
        """Waits until it was asked so many times."""
        taken = [self._listening.accept()[0] for _ in range(count)]
        for each in taken:
            self._open.callback(each.close)
            assert each.recv(1)
        return taken

    def fills_its_queue(self) -> None:
        """From now on a connection to it neither comes about nor fails."""
        for _ in range(4):
            waiting = socket.socket()
            self._open.callback(waiting.close)
            waiting.setblocking(False)
            waiting.connect_ex(self.address)

    def close(self) -> None:
        self._open.close()


@pytest.fixture
def hung() -> Iterator[HungService]:
    service = HungService()
    yield service
    service.close()


@pytest.fixture
def quick() -> Iterator[str]:
    """The URL of a service that answers."""
    app = FastAPI()
    app.add_api_route("/shop/products", lambda: ["BONE"])
    with ServerUnderTest(app) as server:
        yield f"http://127.0.0.1:{server.port}"


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: shop\r\n\r\n".encode()


def with_key(path: str, key: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: shop\r\nAuthorization: Bearer {key}\r\n\r\n".encode()


class Keys:
    """Checks keys like a KeyRing that has seen `good` a moment ago, and looks at another key until `hangs` ends."""

    def __init__(self, good: str) -> None:
        self.good = good
        self.hangs = Event()

    def known(self, plain: str) -> bool:
        return plain == self.good

    def recall(self, plain: str) -> Holder | None:
        return None

    def check(self, plain: str) -> Holder | None:
        self.hangs.wait(LIMIT)
        return None

    def fault(self, plain: str) -> KeyFault:
        return "unknown"


def the_gateway(places: int = gateway.PLACES, keys: KeyCheck | None = None, **urls: str) -> ServerUnderTest:
    app = FastAPI()
    app.state.keys, app.state.behind_proxy, app.state.public_address = keys, False, PublicAddress()
    services, registry = services_behind(urls, places), CollectorRegistry()
    registry.register(GatewayFigures(services))
    add_routes(app, [gateway_router(services), health_router(dict, registry)])
    install_middleware(app, limits=Limits())
    return ServerUnderTest(app, connections=400)


def refusal(caller: Caller) -> tuple[int, Any]:
    status, headers, body = caller.hears()
    assert int(headers["retry-after"]) >= 1
    return status, body


def test_the_limits_are_these() -> None:
    assert gateway.PLACES == 16
    assert gateway.PLACE_WITHIN <= 2.0
    assert gateway.CONNECT_WITHIN == 1.0
    assert gateway.ANSWER_WITHIN == 10.0


def test_S4_while_one_service_hangs_the_others_and_liveness_answer_and_the_next_caller_is_told_503(
    hung: HungService, quick: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "ANSWER_WITHIN", 10 * LIMIT)  # they hang for the whole of this test
    with the_gateway(risk=hung.url, shop=quick) as server:
        held = [server.caller(get("/risk/customers/ada")) for _ in range(gateway.PLACES // 2)]
        taken = hung.takes(gateway.PLACES // 2)
        over = [server.caller(get("/risk/customers/ada")) for _ in range(60)]
        begun = monotonic()
        for path in ("/health/live", "/health/ready", "/shop/products"):
            assert server.caller(get(path)).hears()[0] == 200
        for caller in over:
            status, body = refusal(caller)
            assert (status, b"service_unavailable" in body) == (503, True)
        assert monotonic() - begun < LIMIT
        for each in taken:
            each.close()
        assert {refusal(caller)[0] for caller in held} == {503}
        held[0].says(get("/risk/customers/ada"))
        hung.takes(1), "its places are free again"


def figures_of(server: ServerUnderTest) -> dict[str, float]:
    """The places of the gateway by figure and service."""
    status, _, body = server.caller(get("/metrics").replace(b"Host: shop", b"Host: localhost")).hears()
    assert status == 200
    lines = [line.rsplit(" ", 1) for line in body.decode().splitlines() if line.startswith("clerk_gateway")]
    return {name.removeprefix("clerk_gateway_places_"): float(value) for name, value in lines}


def test_the_figures_tell_who_is_passed_on_and_who_waits_for_a_place(
    hung: HungService, quick: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "ANSWER_WITHIN", 10 * LIMIT)
    monkeypatch.setattr(gateway, "PLACE_WITHIN", 10 * LIMIT)
    with the_gateway(places=4, risk=hung.url, shop=quick) as server:
        callers = [server.caller(get("/risk/customers/ada")) for _ in range(5)]
        taken = hung.takes(2)
        server.until(lambda: figures_of(server)['waiting{target="risk"}'] == 3)
        figures = figures_of(server)
        assert figures['in_use{target="risk"}'] == 2, "one network has a half of the places"
        assert figures['max{target="risk"}'] == figures['max{target="shop"}'] == 4
        assert figures['in_use{target="shop"}'] == figures['waiting{target="shop"}'] == 0
        for each in taken:
            each.close()
        assert {refusal(caller)[0] for caller in callers[:2]} == {503}
        hung.takes(2)
        assert figures_of(server)['waiting{target="risk"}'] == 1


def test_S5_a_key_has_a_place_whatever_a_stranger_at_the_same_address_floods(
    hung: HungService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "ANSWER_WITHIN", 10 * LIMIT)
    keys = Keys(new_key("server"))
    with the_gateway(keys=keys, risk=hung.url) as server:
        flood = [server.caller(get("/risk/customers/ada")) for _ in range(200)]
        hung.takes(gateway.PLACES // 2)
        backend = server.caller(with_key("/risk/customers/ada", keys.good))
        [asked] = hung.takes(1)
        asked.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        assert backend.hears()[0] == 200
        assert {refusal(caller)[0] for caller in flood[gateway.PLACES // 2 :]} == {503}


def test_S5_a_made_up_key_has_a_strangers_places_also_while_nobody_can_say_whether_it_is_good(
    hung: HungService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "ANSWER_WITHIN", 10 * LIMIT)
    monkeypatch.setattr(verified_callers, "VERIFIED_WITHIN", 0.1)
    keys = Keys(new_key("server"))
    with the_gateway(keys=keys, risk=hung.url) as server:
        for _ in range(12):
            server.caller(with_key("/risk/customers/ada", new_key("server")))
        hung.takes(gateway.PLACES // 2)
        server.caller(with_key("/risk/customers/ada", keys.good))
        [asked] = hung.takes(1)
        assert keys.good.encode() in asked.recv(65536)
        keys.hangs.set()


def test_a_service_that_does_not_answer_in_time_is_a_503(hung: HungService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "ANSWER_WITHIN", 0.5)
    with the_gateway(places=1, risk=hung.url) as server:
        for _ in range(2):
            assert refusal(server.caller(get("/risk/x")))[0] == 503


def test_a_service_whose_answer_trickles_is_a_503_too(hung: HungService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "ANSWER_WITHIN", 1.0)
    with the_gateway(risk=hung.url) as server:
        caller = server.caller(get("/risk/x"))
        [service] = hung.takes(1)
        trickling = Thread(target=_trickle, args=(service,))
        trickling.start()
        assert refusal(caller)[0] == 503
        trickling.join(LIMIT)
        assert not trickling.is_alive(), "the gateway has closed the connection"


def _trickle(service: socket.socket) -> None:
    """Sends headers without end, until the other side has closed the connection."""
    service.settimeout(0.1)
    service.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        try:
            service.sendall(b"X: 1\r\n")
            if service.recv(65536) == b"":
                return
        except TimeoutError:
            continue
        except OSError:
            return


def test_a_service_that_cannot_even_be_connected_to_is_a_503_soon() -> None:
    service = HungService(backlog=0)
    service.fills_its_queue()
    with the_gateway(risk=service.url) as server:
        begun = monotonic()
        assert refusal(server.caller(get("/risk/x")))[0] == 503
        assert monotonic() - begun < gateway.ANSWER_WITHIN
    service.close()
