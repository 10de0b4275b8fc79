"""Who is named in notes, as `@nora`, and has not seen it yet (docs/decisions/140)."""

from __future__ import annotations

import re
from typing import Any

import orjson
from sqlalchemy import and_, func, select, union, update

from domain.times import to_wire
from domain.visible_text import comparison_key
from http_api.conventions import page
from http_api.principals import Principal, operator_key
from messaging.database import Database, Tx
from shop_manager.engine.tables import history, metadata, operations_schema
from shop_manager.operations.claim_rows import key_of

table = operations_schema.mentions
SHOWN = 50
"""Notes that one operator is told of at a time, the latest first."""
_NAMED = re.compile(r"(?<![\w@.])@([!-.0-?A-~]{1,128})")
_BEHIND = ".,;:!?)]}'\""
"""What may stand behind a name without being a part of it."""
_PEOPLE = union(select(metadata.tables["operators"].c.name.label("name")), select(metadata.tables["logins"].c.operator))


def names_in(text: str) -> list[str]:
    """The names that stand behind an `@`, as they were typed, each once. An e-mail address names nobody."""
    found = [name.rstrip(_BEHIND) for name in _NAMED.findall(text)]
    return list(dict.fromkeys(name for name in found if name))


def remember(tx: Tx, who: Principal, clerk: str, number: int, text: str) -> None:
    """Whom the note with this number of the Clerk's history names is told, but not who wrote it."""
    wanted = {comparison_key(name) for name in names_in(text)}
    if not wanted:
        return
    known = {operator_key(row.name) for row in tx.execute(_PEOPLE)}
    named = sorted((wanted & known) - {key_of(who)})
    note = {"clerk": clerk, "number": number, "at": tx.now(), "seen_at": None}
    tx.insert(table, [{"who_key": each, **note} for each in named])


class Mentions:
    """Of each operator those notes that name them. Opening the order's page is seeing them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, who: Principal) -> dict[str, Any]:
        """A page of `{clerk, number, at, by, text, seen_at}`, the latest first."""
        notes = and_(history.c.clerk == table.c.clerk, history.c.number == table.c.number)
        mine = select(table, history.c.data).join(history, notes).where(table.c.who_key == key_of(who))
        with self._database.read() as tx:
            rows = tx.execute(mine.order_by(table.c.at.desc(), table.c.number.desc()).limit(SHOWN)).all()
        return page([_line(row) for row in rows], SHOWN, None)

    def unseen(self, who: Principal) -> int:
        """How many of them are not seen yet."""
        mine = select(func.count()).where(table.c.who_key == key_of(who), table.c.seen_at.is_(None))
        with self._database.read() as tx:
            found: int = tx.execute(mine).scalar_one()
        return found

    def see(self, who: Principal, clerk: str) -> None:
        """The operator has opened the order's page."""
        unseen = and_(table.c.who_key == key_of(who), table.c.clerk == clerk, table.c.seen_at.is_(None))
        with self._database.read() as tx:
            if tx.execute(select(table.c.number).where(unseen).limit(1)).first() is None:
                return
        with self._database.begin() as tx:
            tx.execute(update(table).where(unseen).values(seen_at=tx.now()))


def _line(row: Any) -> dict[str, Any]:
    note = orjson.loads(row.data)
    return {
        "clerk": row.clerk,
        "number": row.number,
        "at": to_wire(row.at),
        "by": note["by"],
        "text": note["text"],
        "seen_at": None if row.seen_at is None else to_wire(row.seen_at),
    }
