"""Looks every few seconds which causes of being stuck there are, and writes what is to be told into the outbox.

What changes and what is told of it are one transaction, under one lock: any number of ShopManagers may look.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, select

from messaging.database import Database, Tx
from shop_manager.alerts import outbox
from shop_manager.alerts.options import AlertOptions
from shop_manager.alerts.rules import CauseKey, KnownCause, Looked, Word, look
from shop_manager.alerts.wording import cause_path, facts
from shop_manager.engine.tables import alert_schema
from shop_manager.operations.summary import stuck_causes
from shop_manager.processes import ProcessRegistry

table = alert_schema.causes
LOCK = "alerts"
Found = Mapping[CauseKey, Mapping[str, Any]]


class Watch:
    """`look` may be called at any time; it writes only when something has changed."""

    def __init__(self, database: Database, processes: ProcessRegistry, options: AlertOptions) -> None:
        self._database = database
        self._processes = processes
        self._options = options

    def look(self) -> bool:
        """True when something was put into the outbox."""
        with self._database.read() as tx:
            looked, _, _ = self._looked(tx, tx.now())
        if looked.is_nothing:
            return False
        with self._database.begin() as tx:
            now = tx.lock([LOCK])
            looked, found, services = self._looked(tx, now)
            self._write(tx, looked, found, services, now)
        return bool(looked.words)

    def _looked(self, tx: Tx, now: int) -> tuple[Looked, Found, dict[CauseKey, str | None]]:
        """What follows, the causes as they are, and the service of each."""
        found = {_key_of(cause): cause for cause in stuck_causes(tx, self._processes, now)}
        known: dict[CauseKey, KnownCause] = {}
        services: dict[CauseKey, str | None] = {}
        for row in tx.execute(select(table)):
            cause = CauseKey(row.process, row.step, row.kind, row.code)
            known[cause] = KnownCause(row.since, row.gone_at, row.told_at, row.told_count, row.episode)
            services[cause] = row.service
        services |= {cause: each["service"] for cause, each in found.items()}
        counts = {cause: each["count"] for cause, each in found.items()}
        return look(known, counts, now, self._options.rules), found, services

    def _write(self, tx: Tx, looked: Looked, found: Found, services: Mapping[CauseKey, str | None], now: int) -> None:
        rows = [
            {**cause._asdict(), "service": services[cause], "since": state.since, "gone_at": state.gone_at,
             "told_at": state.told_at, "told_count": state.told_count, "episode": state.episode}
            for cause, state in looked.changed.items()
        ]  # fmt: skip
        tx.upsert(table, rows, CauseKey._fields)
        for cause in looked.forgotten:
            same = [table.c[name] == value for name, value in cause._asdict().items()]
            tx.execute(delete(table).where(*same))
        alerts = [(word.cause.id, self._facts(word, found, services[word.cause], now)) for word in looked.words]
        outbox.write(tx, self._options.channels, alerts, now)

    def _facts(self, word: Word, found: Found, service: str | None, now: int) -> dict[str, Any]:
        return facts(word, service, found.get(word.cause), now, self._options.link(cause_path(word.cause)))


def _key_of(cause: Mapping[str, Any]) -> CauseKey:
    return CauseKey(cause["process"], cause["step"], cause["kind"], cause["code"])
