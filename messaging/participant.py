"""One participant put together and running: it waits for its database, then connects, works, and ticks."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Event, Thread
from time import monotonic
from typing import Any

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from prometheus_client.registry import Collector

from messaging.broker import Transport
from messaging.database import Database
from messaging.database_errors import DATABASE_ERRORS, said_by
from messaging.health_check import HealthCheck
from messaging.outbox import Outbox
from messaging.worker import Worker

TICK_SECONDS = 0.25
RELAY_EVERY = 4
"""Every how many ticks the outbox is looked through for what was left behind."""
log = structlog.get_logger()


@dataclass
class Participant:
    """ShopManager or a service: `prepare` runs once when the database answers (is it migrated? fill it), `ticks` often.

    `prepare` raises when this process must not go on; the error is kept in `refusal` and `on_refusal` is called.
    Without `workers` it takes no messages, and only sends what its `outbox` holds.
    `collectors` give prometheus-client the figures that only this participant has.
    `around_http` is an ASGI middleware for the application in which its routes are, and those of others beside it.
    `on_closing` is called first when it is to stop, while its HTTP API still answers: requests that wait are ended.
    """

    name: str
    database: Database
    outbox: Outbox
    workers: Sequence[Worker]
    prepare: Callable[[], None] = lambda: None
    ticks: Sequence[Callable[[], None]] = ()
    on_closing: Callable[[], None] = lambda: None
    on_stop: Callable[[], None] = lambda: None
    more_checks: Callable[[], dict[str, HealthCheck]] = dict
    on_refusal: Callable[[str], None] = lambda reason: None
    collectors: Sequence[Collector] = ()
    around_http: Callable[[Any], Any] | None = None
    waiting_for: str | None = "not started"
    refusal: str | None = None
    last_tick: float = field(default_factory=monotonic)

    def __post_init__(self) -> None:
        self._stop = Event()
        self._count = 0
        self._opening = Thread(target=self._open, name=f"{self.name}-opening", daemon=True)
        self._ticker = BackgroundScheduler(
            executors={"default": ThreadPoolExecutor(1)},
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
            timezone="UTC",
        )

    def start(self) -> None:
        """Returns at once; `ready` says when everything runs."""
        self._opening.start()

    def _open(self) -> None:
        pause = 0.2
        while not self._stop.is_set():
            try:
                self.database.ping()
                self.prepare()
                break
            except DATABASE_ERRORS as error:
                self._wait_visibly(f"database: {said_by(error)}")
                self._stop.wait(pause * random.uniform(0.5, 1.0))  # noqa: S311  # jitter, not a secret
                pause = min(pause * 2, 5.0)
            except Exception as error:
                self.refusal = str(error)
                self.on_refusal(self.refusal)
                return
        if self._stop.is_set():
            return
        self.outbox.start()
        for transport in self._transports():
            transport.start()
        for worker in self.workers:
            worker.start()
        self._ticker.add_job(self._tick, "interval", seconds=TICK_SECONDS)
        self._ticker.start()
        self.waiting_for = None

    def _transports(self) -> Sequence[Transport]:
        """Each once: one worker takes from that of the outbox, and one that has no workers only sends."""
        return list(dict.fromkeys([self.outbox.transport, *(worker.transport for worker in self.workers)]))

    def _wait_visibly(self, reason: str) -> None:
        if reason != self.waiting_for:
            log.warning("waiting", service=self.name, waiting_for=reason)
        self.waiting_for = reason

    def _tick(self) -> None:
        try:
            for tick in self.ticks:
                tick()
            if self._count % RELAY_EVERY == 0 and self.outbox.transport.connected:
                self.outbox.relay()
            self.last_tick = monotonic()
        except DATABASE_ERRORS as error:
            log.warning("tick_waits", service=self.name, trouble=said_by(error))
        except Exception:  # a tick that fails must not end the ticking: readiness turns red and the log says why
            if not self._stop.is_set():  # else what it wanted is closed already
                log.exception("tick_failed", service=self.name)
        self._count += 1

    def stop(self) -> None:
        """Stop taking, finish what is in hand, close; within about four seconds."""
        self._stop.set()
        if self._ticker.running:
            self._ticker.shutdown(wait=False)
        for worker in self.workers:
            worker.stop()
        self.on_stop()
        self.outbox.stop()
        for transport in self._transports():
            transport.close()
        self.database.close()

    def checks(self) -> dict[str, HealthCheck]:
        """The state of the database, broker, consumer and tick, for readiness."""
        if self.waiting_for:
            return {"database": HealthCheck(False, self.waiting_for), "broker": HealthCheck(False, "not connected yet")}
        return {
            "database": self._database_check(),
            "broker": self._broker_check(),
            **({"consumer": self._consumer_check()} if self.workers else {}),
            "last_tick": self._tick_check(),
            **self.more_checks(),
        }

    def _database_check(self) -> HealthCheck:
        try:
            self.database.ping()
        except DATABASE_ERRORS as error:
            return HealthCheck(False, said_by(error))
        return HealthCheck(True, self.database.dialect)

    def _consumer_check(self) -> HealthCheck:
        alive = all(worker.alive for worker in self.workers)
        return HealthCheck(alive, "taking messages" if alive else "a worker has ended")

    def _broker_check(self) -> HealthCheck:
        for transport in self._transports():
            if not transport.connected or transport.trouble:
                return HealthCheck(transport.connected, transport.trouble or "not connected")
        return HealthCheck(True, "connected")

    def _tick_check(self) -> HealthCheck:
        age = monotonic() - self.last_tick
        return HealthCheck(age < 10.0, "ticking" if age < 10.0 else "no tick lately", round(age, 3))
