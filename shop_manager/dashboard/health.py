"""How each service is: those of this process are asked directly, the others by HTTP; no page waits long for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from threading import Lock
from typing import Any, NamedTuple

import httpx

from http_api.outgoing_tls import authorities
from messaging.health_check import HealthCheck
from shop_manager.operations.service_question import ask_readiness

WITHIN = 0.8
"""Seconds that a page waits for all of them together."""
KEPT = 3.0
"""Seconds for which the last answers are shown again."""
SERVICES = ("shop_manager", "shop", "risk", "payment", "fulfillment")
LocalChecks = Mapping[str, Callable[[], Mapping[str, HealthCheck]]]
"""The checks of this process's participants, by service."""


class CheckLine(NamedTuple):
    """One check as the page shows it: `database`, True, `sqlite`."""

    name: str
    ok: bool
    detail: str


class ServiceHealth(NamedTuple):
    """One service. `ok` is None when its address is not known; `checks` are those that it shows."""

    service: str
    ok: bool | None
    summary: str
    checks: Sequence[CheckLine] = ()


class ServiceHealthReader:
    """`urls` are the addresses of the services in other processes.

    `transport` replaces the network, `clock` gives seconds.
    """

    def __init__(
        self,
        urls: Mapping[str, str],
        *,
        transport: httpx.BaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
        within: float = WITHIN,
    ) -> None:
        self._urls = urls
        self._client = httpx.Client(timeout=within, trust_env=False, verify=authorities(), transport=transport)
        self._clock = clock
        self._within = within
        self._pool = ThreadPoolExecutor(max_workers=2 * len(SERVICES), thread_name_prefix="health")
        self._lock = Lock()
        self._last: tuple[float, list[ServiceHealth]] = (float("-inf"), [])

    def read(self, local: LocalChecks) -> list[ServiceHealth]:
        """All five services, in their order; of one that does not answer in time it is said so."""
        with self._lock:
            at, found = self._last
            if self._clock() - at >= KEPT:
                found = self._ask_all(local)
                self._last = (self._clock(), found)
            return found

    def _ask_all(self, local: LocalChecks) -> list[ServiceHealth]:
        asked = {service: self._pool.submit(self._ask, service, local) for service in SERVICES}
        done, _ = wait(asked.values(), timeout=self._within)
        return [
            answer.result() if answer in done else ServiceHealth(service, False, f"no answer within {self._within:g} s")
            for service, answer in asked.items()
        ]

    def _ask(self, service: str, local: LocalChecks) -> ServiceHealth:
        if service in local:
            checks = local[service]().items()
            return _summarized(service, [CheckLine(name, each.ok, each.detail) for name, each in checks])
        if service not in self._urls:
            return ServiceHealth(service, None, f"its address is not known (CLERK_{service.upper()}_URL)")
        return self._ask_by_http(service)

    def _ask_by_http(self, service: str) -> ServiceHealth:
        answered = ask_readiness(self._client, self._urls[service])
        checks = _check_lines(answered.checks)
        if checks and not answered.is_ready:
            return _summarized(service, checks)
        return ServiceHealth(service, answered.is_ready, answered.trouble or "ready", checks)


def _check_lines(checks: Mapping[str, Any]) -> list[CheckLine]:
    """Nothing of their form is certain (ask_readiness)."""
    known = {str(name): each for name, each in checks.items() if isinstance(each, dict)}
    return [CheckLine(name, each.get("ok") is True, str(each.get("detail", ""))) for name, each in known.items()]


def _summarized(service: str, checks: Sequence[CheckLine]) -> ServiceHealth:
    bad = [check for check in checks if not check.ok]
    summary = f"{bad[0].name.replace('_', ' ')}: {bad[0].detail}" if bad else "ready"
    return ServiceHealth(service, not bad, summary, checks)
