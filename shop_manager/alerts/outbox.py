"""The outbox of alerts: written with the change that they tell of, and taken from by whoever delivers.

A delivery is one alert for one channel. Of one cause a channel gets them in order, so nothing is over before it began.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import orjson
from sqlalchemy import delete, func, select, update

from domain.times import days, hours, minutes, seconds, to_wire
from messaging.database import Database, Tx
from messaging.database_time import NOW
from shop_manager.engine.tables import alert_schema

table = alert_schema.deliveries
LEASE = minutes(2)
"""ms for which a delivery belongs to whoever took it: longer than one takes. After a crash it is sent once more."""
FIRST_PAUSE, LONGEST_PAUSE = seconds(5), minutes(10)
GIVEN_UP_AFTER = hours(24)
KEPT = days(30)
LOOKED_THROUGH = 500
"""Deliveries of a channel that wait, among which the next one is looked for."""
_WAITING = table.c.next_at.isnot(None)


class Claimed(NamedTuple):
    """One delivery that is ours until the lease is over. `tries` counts this one."""

    number: int
    alert: Mapping[str, Any]
    tries: int
    at: int


def write(tx: Tx, channels: Iterable[str], alerts: Sequence[tuple[str, Mapping[str, Any]]], now: int) -> None:
    """Put each alert in for every channel; with each stands what it is `about`."""
    rows = [
        {
            "alert": alert["id"],
            "channel": channel,
            "about": about,
            "what": alert["what"],
            "body": orjson.dumps(dict(alert)).decode(),
            "state": "waiting",
            "at": now,
            "tries": 0,
            "next_at": now,
            "failed_at": None,
            "trouble": "",
            "done_at": None,
        }
        for about, alert in alerts
        for channel in channels
    ]
    tx.insert(table, rows)


def any_due(database: Database, channel: str) -> bool:
    """Cheap: is there anything to deliver?"""
    due = select(table.c.number).where(_WAITING, table.c.channel == channel, table.c.next_at <= NOW).limit(1)
    with database.look() as tx:
        return tx.execute(due).first() is not None


def claim(database: Database, channel: str) -> Claimed | None:
    """The next delivery that is due, now ours; None when there is none."""
    columns = (table.c.number, table.c.about, table.c.next_at, table.c.body, table.c.tries, table.c.at)
    waiting = select(*columns).where(_WAITING, table.c.channel == channel).order_by(table.c.number)
    with database.begin() as tx:
        now = tx.lock([f"alerts:{channel}"])
        first: dict[str, Any] = {}
        for row in tx.execute(waiting.limit(LOOKED_THROUGH)):
            first.setdefault(row.about, row)
        due = [each for each in first.values() if each.next_at <= now]
        if not due:
            return None
        row = due[0]
        ours = {"next_at": now + LEASE, "tries": row.tries + 1}
        tx.execute(update(table).where(table.c.number == row.number).values(**ours))
    return Claimed(row.number, orjson.loads(row.body), row.tries + 1, row.at)


def delivered(database: Database, channel: str, claimed: Claimed, remark: str) -> None:
    """It has arrived; what has failed before is tried again at once, because the channel works."""
    with database.begin() as tx:
        now = tx.lock([f"alerts:{channel}"])
        done = {"state": "delivered", "next_at": None, "done_at": now, "trouble": remark}
        tx.execute(update(table).where(_is(claimed)).values(**done))
        failed = _WAITING & (table.c.channel == channel) & table.c.failed_at.isnot(None)
        tx.execute(update(table).where(failed).values(next_at=now, failed_at=None))


def failed(database: Database, channel: str, claimed: Claimed, trouble: str) -> bool:
    """It has not arrived: later again. True when it is given up: after a day, and a test alert at once."""
    with database.begin() as tx:
        now = tx.lock([f"alerts:{channel}"])
        given_up = claimed.alert["what"] == "test" or now - claimed.at >= GIVEN_UP_AFTER
        state = {"state": "given_up", "next_at": None, "done_at": now} if given_up else {
            "next_at": now + pause(claimed.tries)
        }  # fmt: skip
        tx.execute(update(table).where(_is(claimed)).values(**state, failed_at=now, trouble=trouble))
    return given_up


def pause(tries: int) -> int:
    """ms until the next try, after so many."""
    return int(min(FIRST_PAUSE * 2 ** min(tries - 1, 20), LONGEST_PAUSE))


def read_deliveries(tx: Tx, limit: int, before: int | None = None, alert: str | None = None) -> list[dict[str, Any]]:
    """The latest first: `{number, id, channel, what, state, tries, trouble, at, next_at, failed_at, done_at, alert}`;
    `alert` is its body, and moments are as on the wire.
    """
    rows = select(table).order_by(table.c.number.desc()).limit(limit)
    if before is not None:
        rows = rows.where(table.c.number < before)
    if alert is not None:
        rows = rows.where(table.c.alert == alert)
    return [_shown(row._asdict()) for row in tx.execute(rows)]


def waiting_by_channel(tx: Tx) -> dict[str, int]:
    """How many deliveries wait."""
    rows: Iterable[Any] = tx.execute(select(table.c.channel, func.count()).where(_WAITING).group_by(table.c.channel))
    return {channel: int(count) for channel, count in rows}


def states_of(tx: Tx) -> dict[str, dict[str, Any]]:
    """By channel: `{waiting, given_up, delivered_at, failed_at, trouble}`; the last two of the last one that failed."""
    found: dict[str, dict[str, Any]] = {}
    by = (table.c.channel, table.c.state)
    counted = select(*by, func.count(), func.max(table.c.done_at), func.max(table.c.failed_at)).group_by(*by)
    rows: Iterable[Any] = tx.execute(counted)
    for channel, state, count, done_at, failed_at in rows:
        told = found.setdefault(channel, {})
        if state == "delivered":
            told["delivered_at"] = to_wire(done_at)
        else:
            told[state] = int(count)
            told["failed_at"] = max((at for at in (told.get("failed_at"), failed_at) if at), default=None)
    for channel, told in found.items():
        if at := told.get("failed_at"):
            same = select(table.c.trouble).where(table.c.channel == channel, table.c.failed_at == at)
            told |= {"failed_at": to_wire(at), "trouble": tx.execute(same.limit(1)).scalar_one()}
    return found


def take_up_again(tx: Tx, alert: str, now: int) -> tuple[bool, list[str]]:
    """Whether there is such an alert, and the channels for which it was given up and is tried once more now."""
    rows = tx.execute(select(table.c.channel, table.c.state).where(table.c.alert == alert)).all()
    given_up = [row.channel for row in rows if row.state == "given_up"]
    anew = {"state": "waiting", "next_at": now, "done_at": None}
    tx.execute(update(table).where(table.c.alert == alert, table.c.state == "given_up").values(**anew))
    return bool(rows), given_up


def forget_old(database: Database) -> None:
    """What has ended, of a month ago and before."""
    with database.begin() as tx:
        tx.execute(delete(table).where(table.c.at < tx.now() - KEPT, table.c.next_at.is_(None)))


def _is(claimed: Claimed) -> Any:
    """It and nobody else's later try."""
    return (table.c.number == claimed.number) & (table.c.tries == claimed.tries) & _WAITING


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    moments = {name: None if row[name] is None else to_wire(row[name]) for name in ("next_at", "failed_at", "done_at")}
    same = {name: row[name] for name in ("number", "channel", "what", "state", "tries", "trouble")}
    return {**same, "id": row["alert"], "at": to_wire(row["at"]), **moments, "alert": orjson.loads(row["body"])}
