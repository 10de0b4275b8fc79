"""How each service is: those of this process are asked directly, the others at their doors; no page waits long."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from threading import Lock
from typing import NamedTuple, Protocol

import httpx

WITHIN = 0.8
"""Seconds that a page waits for all of them together."""
KEPT = 3.0
"""Seconds for which an answer is good enough, whoever asks."""
SERVICES = ("shop_manager", "shop", "risk", "payment", "fulfillment")


class Check(Protocol):
    """One thing a service needs, as its participant tells it."""

    @property
    def ok(self) -> bool: ...

    @property
    def detail(self) -> str: ...


Near = Mapping[str, Callable[[], Mapping[str, Check]]]
"""The checks of this process's participants, by service."""


class Line(NamedTuple):
    """One check: `database`, well, `sqlite`."""

    name: str
    ok: bool
    detail: str


class Found(NamedTuple):
    """One service: `ok` None when nobody knows, `told` in a word or two, and its checks as far as it shows them."""

    service: str
    ok: bool | None
    told: str
    lines: Sequence[Line] = ()


class Health:
    """`urls` are the doors of the services elsewhere; `transport` replaces the network, `clock` gives seconds."""

    def __init__(
        self,
        urls: Mapping[str, str],
        *,
        transport: httpx.BaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
        within: float = WITHIN,
    ) -> None:
        self._urls = urls
        self._client = httpx.Client(timeout=within, trust_env=False, transport=transport)
        self._clock = clock
        self._within = within
        self._pool = ThreadPoolExecutor(max_workers=2 * len(SERVICES), thread_name_prefix="health")
        self._lock = Lock()
        self._last: tuple[float, list[Found]] = (float("-inf"), [])

    def look(self, near: Near) -> list[Found]:
        """All five, in their order; what does not answer in time is said to be silent."""
        with self._lock:
            at, found = self._last
            if self._clock() - at >= KEPT:
                found = self._ask(near)
                self._last = (self._clock(), found)
            return found

    def _ask(self, near: Near) -> list[Found]:
        asked = {service: self._pool.submit(self._one, service, near) for service in SERVICES}
        done, _ = wait(asked.values(), timeout=self._within)
        return [
            answer.result() if answer in done else Found(service, False, f"no answer within {self._within:g} s")
            for service, answer in asked.items()
        ]

    def _one(self, service: str, near: Near) -> Found:
        if service in near:
            checks = near[service]().items()
            return _summed(service, [Line(name, each.ok, each.detail) for name, each in checks])
        if service not in self._urls:
            return Found(service, None, f"its address is not known (CLERK_{service.upper()}_URL)")
        return self._at_its_door(service)

    def _at_its_door(self, service: str) -> Found:
        try:
            answer = self._client.get(f"{self._urls[service].rstrip('/')}/health/ready")
            content: object = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            return Found(service, False, f"cannot be reached: {type(error).__name__}")
        said = content if isinstance(content, dict) else {}
        lines = _lines(said.get("checks"))
        ready = said.get("status") == "ready"
        return _summed(service, lines) if lines else Found(service, ready, "ready" if ready else "not ready")


def _lines(checks: object) -> list[Line]:
    """What a door shows of its checks; a stranger behind that address may say anything."""
    if not isinstance(checks, dict):
        return []
    told = {str(name): each for name, each in checks.items() if isinstance(each, dict)}
    return [Line(name, each.get("ok") is True, str(each.get("detail", ""))) for name, each in told.items()]


def _summed(service: str, lines: Sequence[Line]) -> Found:
    bad = [line for line in lines if not line.ok]
    return Found(service, not bad, f"{bad[0].name.replace('_', ' ')}: {bad[0].detail}" if bad else "ready", lines)
