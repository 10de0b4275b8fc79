"""What operators see of alerts and do with them: the channels, what was told lately, a test, and sending again."""

from __future__ import annotations

import secrets
from typing import Any

from http_api.conventions import decode_cursor, encode_cursor, page
from http_api.principals import Principal
from http_api.problems import Problem, not_found
from messaging.database import Database
from shop_manager.alerts import outbox
from shop_manager.alerts.options import AlertOptions
from shop_manager.alerts.wording import facts_of_test, headline
from shop_manager.operations.audit import AuditLine, record
from shop_manager.operations.roles import require

HOME = "/dashboard"
NO_CHANNEL = "No channel is set: nobody is told anything (CLERK_ALERT_WEBHOOK, CLERK_ALERT_EMAIL)."


class AlertDesk:
    """Whoever is an operator may look; acts need an admin, and every attempt is in the audit."""

    def __init__(self, database: Database, options: AlertOptions) -> None:
        self.options = options
        self._database = database

    def require(self, who: Principal, action: str, target: str) -> None:
        """Problem `forbidden` for who is no admin; the attempt is written down."""
        require(self._database, who, "admin", action, target)

    def channels(self) -> list[dict[str, Any]]:
        """`{name, leads_to, waiting, given_up, delivered_at, failed_at, trouble}` of each that is set.

        `delivered_at`: when an alert arrived last; `failed_at` and `trouble`: when and why the last one did not that
        waits or was given up, null when there is none.
        """
        with self._database.read() as tx:
            states = outbox.states_of(tx)
        empty: dict[str, Any] = dict.fromkeys(("delivered_at", "failed_at", "trouble"))
        return [
            {"name": name, "leads_to": leads_to, "waiting": 0, "given_up": 0, **empty, **states.get(name, {})}
            for name, leads_to in self.options.channels.items()
        ]

    def deliveries(self, *, limit: int = 50, cursor: str | None = None, alert: str | None = None) -> dict[str, Any]:
        """A page of what was told to each channel, the latest first. `alert`: of this one only."""
        before = decode_cursor(cursor, (int,))[0] if cursor else None
        with self._database.read() as tx:
            found = outbox.read_deliveries(tx, limit + 1, before, alert)
        following = encode_cursor((found[limit - 1]["number"],)) if len(found) > limit else None
        return page([_line(each) for each in found[:limit]], limit, following)

    def test(self, who: Principal) -> dict[str, Any]:
        """Puts a test alert into the outbox, which is tried once for each channel: `{id, channels}`.

        Problem `not_allowed_now` where no channel is set.
        """
        self.require(who, "alert_test", "alerts")
        channels = list(self.options.channels)
        alert = f"alt_{secrets.token_hex(12)}"
        with self._database.begin() as tx:
            now = tx.now()
            told = facts_of_test(alert, now, self.options.link(HOME))
            outbox.write(tx, channels, [(alert, told)], now)
            line = AuditLine("alert_test", f"alert:{alert}", "done" if channels else "not_allowed_now")
            record(tx, who, line, now)
        if not channels:
            raise Problem("not_allowed_now", NO_CHANNEL)
        return {"id": alert, "channels": channels}

    def send_again(self, who: Principal, alert: str) -> dict[str, Any]:
        """What was given up of this alert is tried once more: `{id, channels}`.

        Problem `not_found` for an alert that there is not, `not_allowed_now` for one of which nothing was given up.
        """
        self.require(who, "alert_again", f"alert:{alert}")
        with self._database.begin() as tx:
            now = tx.now()
            known, channels = outbox.take_up_again(tx, alert, now)
            if not known:
                raise not_found()
            line = AuditLine("alert_again", f"alert:{alert}", "done" if channels else "not_allowed_now")
            record(tx, who, line, now)
        if not channels:
            raise Problem("not_allowed_now", "Nothing of this alert was given up.")
        return {"id": alert, "channels": channels}


def _line(delivery: dict[str, Any]) -> dict[str, Any]:
    number_apart = {name: value for name, value in delivery.items() if name != "number"}
    return {**number_apart, "headline": headline(delivery["alert"])}
