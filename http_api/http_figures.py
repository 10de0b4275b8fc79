"""How long requests take, by route, method and kind of status: a histogram for `/metrics`.

The label values are bounded whatever comes in: the templates of the application's routes and `none`, the methods that
there are and `other`, and the first digit of the status.
"""

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter
from typing import Any

from anyio import CapacityLimiter
from anyio.to_thread import current_default_thread_limiter
from prometheus_client import CollectorRegistry, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

NO_ROUTE = "none"
"""There is no such address, or the request was refused before anybody looked for it."""
OTHER_METHOD = "other"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_NOTED = "clerk.noted"
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class HttpFigures:
    """Of one application; `registry` is where they are read."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._seconds = Histogram(
            "clerk_http_request_seconds",
            "From a request's arrival to the beginning of its answer; long polls wait in it.",
            ["route", "method", "status"],
            buckets=_BUCKETS,
            registry=registry,
        )
        self.unanswered = Gauge("clerk_http_requests_unanswered", "Requests without an answer yet.", registry=registry)
        self.threads = RequestThreads()
        registry.register(self.threads)
        self._known: dict[tuple[str, str, int], Any] = {}

    def note(self, route: str, method: str, status: int, seconds: float) -> None:
        """One answer has begun."""
        key = (route, method, status // 100)
        found = self._known.get(key)
        if found is None:
            known = method if method in _METHODS else OTHER_METHOD
            found = self._seconds.labels(route, known, f"{key[2]}xx")
            if known == method:
                self._known[key] = found
        found.observe(seconds)


class RequestThreads(Collector):
    """The threads in which requests are answered whose code is not asynchronous: one number for all of a process.

    They belong to the event loop, so there is nothing to tell before the first request.
    """

    def __init__(self) -> None:
        self._limiter: CapacityLimiter | None = None

    def find(self) -> None:
        """To be called in the event loop."""
        if self._limiter is None:
            self._limiter = current_default_thread_limiter()

    def collect(self) -> Iterator[Metric]:
        if self._limiter is None:
            return
        now = self._limiter.statistics()
        yield GaugeMetricFamily("clerk_http_threads_in_use", "Threads that answer requests.", now.borrowed_tokens)
        yield GaugeMetricFamily("clerk_http_threads_waiting", "Requests that wait for a thread.", now.tasks_waiting)
        yield GaugeMetricFamily("clerk_http_threads_max", "As many such threads there may be.", now.total_tokens)


class NotedRequest:
    """One request on its way; its `route` is set by whoever finds it."""

    __slots__ = ("_began", "_figures", "_method", "_send", "answered", "route")

    def __init__(self, figures: HttpFigures, method: str, send: Send) -> None:
        self.route = NO_ROUTE
        self.answered = False
        self._figures = figures
        self._method = method
        self._send = send
        self._began = perf_counter()

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.answered = True
            self._figures.unanswered.dec()
            self._figures.note(self.route, self._method, message["status"], perf_counter() - self._began)
        await self._send(message)


class HttpFiguresMiddleware:
    """Outermost: sees every answer, whoever gives it."""

    def __init__(self, app: ASGIApp, figures: HttpFigures) -> None:
        self.app = app
        self.figures = figures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        noted = scope[_NOTED] = NotedRequest(self.figures, scope["method"], send)
        self.figures.unanswered.inc()
        self.figures.threads.find()
        try:
            await self.app(scope, receive, noted.send)
        finally:
            if not noted.answered:
                self.figures.unanswered.dec()


def note_route(scope: Scope, template: str) -> None:
    """The request's address is this one, such as `/payment/{session}`."""
    noted: NotedRequest | None = scope.get(_NOTED)
    if noted is not None:
        noted.route = template
