"""Reads Clerks for operators: the lines of a list, and of one Clerk its saga, timeline and messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from http_api.problems import not_found
from messaging.database import Tx
from shop_manager.engine import store
from shop_manager.engine.tables import clerks
from shop_manager.operations.claim_rows import read_claims
from shop_manager.operations.clerk_line import COLUMNS, line_of_row
from shop_manager.operations.timeline import timeline
from shop_manager.operations.told import told
from shop_manager.operations.traffic import messages_of
from shop_manager.processes import ProcessRegistry
from shop_manager.saga.state import ENDED, HistoryEntry, Saga, fold
from shop_manager.sessions.view import steps_of


def read_lines(tx: Tx, ids: Sequence[str], first_steps: Sequence[str]) -> list[dict[str, Any]]:
    """The lines of those that there are (see clerk_line.py), in the order of the ids."""
    if not ids:
        return []
    rows = tx.execute(select(*(clerks.c[name] for name in COLUMNS)).where(clerks.c.id.in_(ids))).all()
    claims, now = read_claims(tx, [row.id for row in rows if row.status not in ENDED]), tx.now()
    found = {row.id: line_of_row(row._asdict(), first_steps, now, claims.get(row.id)) for row in rows}
    return [found[clerk] for clerk in ids if clerk in found]


def read_saga(tx: Tx, clerk: str) -> Saga:
    """Problem 404 for an unknown Clerk, as in all that follow."""
    versioned = store.read(tx, [clerk]).get(clerk)
    if versioned is None:
        raise not_found()
    return versioned.saga


def read_timeline(tx: Tx, clerk: str) -> list[dict[str, Any]]:
    """See timeline.timeline."""
    return timeline(_history(tx, clerk), store.read_ignored(tx, clerk))


def read_told(tx: Tx, clerk: str, processes: ProcessRegistry) -> list[dict[str, Any]]:
    """See told.told."""
    history = [entry for _, entry in _history(tx, clerk)]
    return told(clerk, history, steps_of(processes, fold(clerk, history)))


def read_messages(tx: Tx, clerk: str, processes: ProcessRegistry) -> list[dict[str, Any]]:
    """See traffic.messages_of."""
    history = _history(tx, clerk)
    process = processes.by_reference.get(history[0][1].data["process"])
    return messages_of(tx, clerk, history, store.read_ignored(tx, clerk), process)


def _history(tx: Tx, clerk: str) -> list[tuple[int, HistoryEntry]]:
    history = store.read_history(tx, clerk)
    if not history:
        raise not_found()
    return history
