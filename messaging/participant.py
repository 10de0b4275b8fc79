"""One participant put together and running: it waits for its database, then connects, works, and ticks."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Event, Thread
from time import monotonic

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from messaging.database import Database
from messaging.outbox import Outbox
from messaging.worker import DATABASE_ERRORS, Worker

TICK_SECONDS = 0.25
RELAY_EVERY = 4
"""Every how many ticks the outbox is looked through for what was left behind."""
log = structlog.get_logger()


@dataclass(frozen=True)
class Check:
    """One line of `/health/ready`."""

    ok: bool
    detail: str
    age_seconds: float | None = None


@dataclass
class Participant:
    """ShopManager or a service: `prepare` runs once when the database answers (is it migrated? fill it), `ticks` often.

    `prepare` raises when this process must not go on; the error is kept in `refusal` and `on_refusal` is called.
    `on_closing` is called first when it is to stop, while its doors still answer: who waits there is let go.
    """

    name: str
    database: Database
    outbox: Outbox
    workers: Sequence[Worker]
    prepare: Callable[[], None] = lambda: None
    ticks: Sequence[Callable[[], None]] = ()
    on_closing: Callable[[], None] = lambda: None
    on_stop: Callable[[], None] = lambda: None
    more_checks: Callable[[], dict[str, Check]] = dict
    on_refusal: Callable[[str], None] = lambda reason: None
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

    def wait_ready(self, limit: float) -> bool:
        """Wait until everything runs, or it was refused; at most `limit` seconds."""
        self._opening.join(limit)
        return self.waiting_for is None and self.refusal is None

    def _open(self) -> None:
        pause = 0.2
        while not self._stop.is_set():
            try:
                self.database.ping()
                self.prepare()
                break
            except DATABASE_ERRORS as error:
                self._wait_visibly(f"database: {str(getattr(error, 'orig', None) or error).strip().splitlines()[0]}")
                self._stop.wait(pause * random.uniform(0.5, 1.0))  # noqa: S311  # jitter, not a secret
                pause = min(pause * 2, 5.0)
            except Exception as error:
                self.refusal = str(error)
                self.on_refusal(self.refusal)
                return
        if self._stop.is_set():
            return
        self.outbox.start()
        for worker in self.workers:
            worker.link.start()
            worker.start()
        self._ticker.add_job(self._tick, "interval", seconds=TICK_SECONDS)
        self._ticker.start()
        self.waiting_for = None

    def _wait_visibly(self, reason: str) -> None:
        if reason != self.waiting_for:
            log.warning("waiting", service=self.name, waiting_for=reason)
        self.waiting_for = reason

    def _tick(self) -> None:
        try:
            for tick in self.ticks:
                tick()
            if self._count % RELAY_EVERY == 0 and self.outbox.link.connected:
                self.outbox.relay()
            self.last_tick = monotonic()
        except DATABASE_ERRORS as error:
            log.warning("tick_waits", service=self.name, trouble=str(getattr(error, "orig", None) or error).strip())
        except Exception:  # a tick that fails must not end the ticking: readiness turns red and the log says why
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
        for worker in self.workers:
            worker.link.close()
        self.database.close()

    def checks(self) -> dict[str, Check]:
        """The state of the database, broker, consumer and tick, for readiness."""
        if self.waiting_for:
            return {"database": Check(False, self.waiting_for), "broker": Check(False, "not connected yet")}
        return {
            "database": self._database_check(),
            "broker": self._broker_check(),
            "consumer": self._consumer_check(),
            "last_tick": self._tick_check(),
            **self.more_checks(),
        }

    def _database_check(self) -> Check:
        try:
            self.database.ping()
        except DATABASE_ERRORS as error:
            return Check(False, str(getattr(error, "orig", None) or error).strip().splitlines()[0])
        return Check(True, self.database.dialect)

    def _consumer_check(self) -> Check:
        alive = all(worker.alive for worker in self.workers)
        return Check(alive, "taking messages" if alive else "a worker has ended")

    def _broker_check(self) -> Check:
        for worker in self.workers:
            if not worker.link.connected or worker.link.trouble:
                return Check(worker.link.connected, worker.link.trouble or "not connected")
        return Check(True, "connected")

    def _tick_check(self) -> Check:
        age = monotonic() - self.last_tick
        return Check(age < 10.0, "ticking" if age < 10.0 else "no tick lately", round(age, 3))
