"""All that operators can read, as the plain values that `/ops` answers with; the dashboard's pages show the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from domain.times import from_wire, to_wire
from http_api.conventions import decode_cursor, encode_cursor, page
from http_api.problems import Problem, not_found
from messaging.database import Tx
from shop_manager.engine.store import live_mark
from shop_manager.operations.activity import EVERYTHING, ActivityFilter, compare_hours, count_new, newest, read_activity
from shop_manager.operations.ages import ANY_TIME, Times
from shop_manager.operations.audit import read_audit
from shop_manager.operations.audit_bulks import with_items
from shop_manager.operations.cause_growth import CauseParts, Growth, growth_of_causes
from shop_manager.operations.checks import latest
from shop_manager.operations.claim_rows import read_claims, with_claims
from shop_manager.operations.clerk_detail import clerk_detail
from shop_manager.operations.clerk_reads import read_lines, read_messages, read_saga, read_timeline, read_told
from shop_manager.operations.figures import figures, opens_and_ends
from shop_manager.operations.parked_causes import open_causes
from shop_manager.operations.parked_reads import (
    ParkedState,
    parked_line,
    read_one,
    read_parked,
)
from shop_manager.operations.process_reads import chosen, read_processes
from shop_manager.operations.search import search
from shop_manager.operations.summary import LATELY, MONEY, stuck_causes, stuck_totals, summary
from shop_manager.operations.tallies import ends_since
from shop_manager.sessions.listing import ORDERS, Filter, count_of, page_of
from shop_manager.sessions.reads import Sessions

Values = dict[str, Any]


class Reads:
    """Each method reads in a transaction of its own. A page is `{data, has_more, next_cursor}`.

    Problem `not_found` for an unknown id, `invalid_request` for a broken cursor.
    """

    def __init__(self, sessions: Sessions) -> None:
        self.sessions = sessions
        self.database = sessions.manager.database
        self.registry = sessions.manager.processes
        self.first_steps = sessions.first_steps

    def summary(self) -> Values:
        """The home page's figures: see summary.py."""
        with self.database.read() as tx:
            return self._summary(tx)

    def causes(self) -> list[Values]:
        """Of the summary only what is stuck, by cause."""
        with self.database.read() as tx:
            now = tx.now()
            return with_claims(tx, stuck_causes(tx, self.registry, now), now)

    def growth(self) -> dict[CauseParts, Growth]:
        """How each cause has grown within the last hour: see cause_growth.py."""
        with self.database.read() as tx:
            return growth_of_causes(tx, tx.now())

    def stuck(self) -> Values:
        """`{count, money_at_risk, money_to_settle, checked_at}` of all that is stuck."""
        with self.database.read() as tx:
            now = tx.now()
            return {**stuck_totals(stuck_causes(tx, self.registry, now)), "checked_at": to_wire(now)}

    def counters(self) -> Values:
        """`{checked_at, counts, stuck: {count, money_at_risk, money_to_settle}, parked, mark}`: what open lists show.

        `mark` differs whenever a live Clerk has changed.
        """
        with self.database.read() as tx:
            found = self._summary(tx)
            mark = "-".join(map(str, live_mark(tx)))
        stuck = {name: found["stuck"][name] for name in ("count", *MONEY)}
        return {**{name: found[name] for name in ("checked_at", "counts", "parked")}, "stuck": stuck, "mark": mark}

    def clerks(
        self, wanted: Filter, *, times: Times = ANY_TIME, sort: str = "-created_at", limit: int = 50,
        cursor: str | None = None,
    ) -> Values:  # fmt: skip
        """A page of lines (see clerk_line.py); `sort` one of listing.ORDERS."""
        with self.database.read() as tx:
            return page(*self._lines(tx, times.of(wanted, tx.now()), sort, limit, cursor))

    def every_page(
        self, wanted: Filter, *, times: Times = ANY_TIME, sort: str = "-created_at", limit: int
    ) -> Callable[[str | None], Values]:
        """cursor → a page of a list as `clerks` has it; its times are those of now, however long it is read."""
        with self.database.read() as tx:
            those = times.of(wanted, tx.now())
        return lambda cursor: self.clerks(those, sort=sort, limit=limit, cursor=cursor)

    def count(self, wanted: Filter, times: Times, sort: str, most: int) -> tuple[int, bool]:
        """See listing.count_of."""
        with self.database.read() as tx:
            those = times.of(wanted, tx.now())
            return count_of(tx, those, ORDERS[sort], most=most, first_steps=self.first_steps)

    def search(self, text: str, limit: int = 10) -> Values:
        """What fits, by kind: see search.search."""
        with self.database.read() as tx:
            return search(tx, self.sessions.manager.search, text, limit, self.first_steps)

    def clerk(self, clerk: str) -> Values:
        """One Clerk: see clerk_detail.py."""
        with self.database.read() as tx:
            saga = read_saga(tx, clerk)
            claim = read_claims(tx, [clerk]).get(clerk) if not saga.ended else None
            policy = self.sessions.manager.policy
            return clerk_detail(saga, self.registry, self.first_steps, tx.now(), policy=policy, claim=claim)

    def told(self, clerk: str) -> list[Values]:
        """What the customer was told of it, and when: see told.py."""
        with self.database.read() as tx:
            return read_told(tx, clerk, self.registry)

    def timeline(self, clerk: str, *, limit: int = 200, cursor: str | None = None) -> Values:
        """A page of all that happened, in order: see timeline.py."""
        with self.database.read() as tx:
            return _page_of(read_timeline(tx, clerk), limit, cursor)

    def messages(self, clerk: str, *, limit: int = 200, cursor: str | None = None) -> Values:
        """A page of its commands and replies, in the order of time: see traffic.messages_of."""
        with self.database.read() as tx:
            return _page_of(read_messages(tx, clerk, self.registry), limit, cursor)

    def parked(
        self,
        *,
        state: ParkedState | None = None,
        service: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Values:
        """A page of parked messages, the latest first: see parked_reads.parked_line."""
        before = decode_cursor(cursor, (int, str)) if cursor else None
        with self.database.read() as tx:
            rows = read_parked(tx, state, service, limit + 1, before and (before[0], before[1]))
        shown = rows[:limit]
        following = encode_cursor((shown[-1]["first_at"], shown[-1]["id"])) if len(rows) > limit else None
        return page([parked_line(row) for row in shown], limit, following)

    def parked_causes(self) -> Values:
        """A page of those that wait for a decision, by cause: see parked_causes.py."""
        with self.database.read() as tx:
            found = open_causes(tx)
        return page(found, len(found), None)

    def parked_one(self, parked: str) -> Values:
        """One parked message with all of its body that was kept."""
        with self.database.read() as tx:
            row = read_one(tx, parked)
        if row is None:
            raise not_found()
        return parked_line(row)

    def processes(self) -> list[Values]:
        """Every process, drawn from its definition: see process_reads.py."""
        with self.database.read() as tx:
            return read_processes(tx, self.registry)

    def chosen(self, customer: str | None, shop: str) -> Values:
        """`{process, rule, inputs}`: which process would this customer (None: a guest) get in this shop?"""
        with self.database.read() as tx:
            found = chosen(tx, self.registry, customer, shop)
        if found is None:
            raise Problem("not_found", "There is no such shop, or no such customer.")
        return found

    def figures(self, hours: int = 24) -> Values:
        """The figures of the last hours: see figures.figures."""
        with self.database.read() as tx:
            return figures(tx, self.registry, hours, tx.now())

    def opens_and_ends(self, hours: int = 24) -> Values:
        """How many sessions were opened and how many ended, over time: see figures.opens_and_ends."""
        with self.database.read() as tx:
            return opens_and_ends(tx, hours, tx.now())

    def audit(self, wanted: Mapping[str, str | None], *, limit: int = 50, cursor: str | None = None) -> Values:
        """A page of the audit, the latest first: see audit.read_audit, and audit_bulks.py. `wanted`: by FILTERS."""
        before = decode_cursor(cursor, (int,))[0] if cursor else None
        with self.database.read() as tx:
            lines = read_audit(tx, wanted, limit + 1, before)
            shown = with_items(tx, lines[:limit])
        following = encode_cursor((lines[limit - 1]["number"],)) if len(lines) > limit else None
        return page(shown, limit, following)

    def activity(self, wanted: ActivityFilter, *, limit: int = 50, cursor: str | None = None) -> Values:
        """A page of what happened, the latest first: see activity.read_activity."""
        before = decode_cursor(cursor, (int, int)) if cursor else None
        with self.database.read() as tx:
            lines = read_activity(tx, wanted, limit + 1, before and (before[0], before[1]))
        shown = lines[:limit]
        following = encode_cursor((from_wire(shown[-1]["at"]), shown[-1]["number"])) if len(lines) > limit else None
        return page(shown, limit, following)

    def compared_hours(self, wanted: ActivityFilter = EVERYTHING) -> Values:
        """How often each kind of it happened in the last hour, and in the one before: see activity.compare_hours."""
        with self.database.read() as tx:
            return compare_hours(tx, wanted, tx.now())

    def newest_activity(self) -> int:
        """The number of the line that was written last."""
        with self.database.read() as tx:
            return newest(tx)

    def new_activity(self, wanted: ActivityFilter, seen: int, most: int) -> int:
        """How many lines were written since that number; at most `most`."""
        with self.database.read() as tx:
            return count_new(tx, wanted, seen, most)

    def checks(self) -> Values:
        """`{latest: null|{started_at, finished_at, clerks, found, drifts}}`: what `clerk verify` has recorded last."""
        with self.database.read() as tx:
            return {"latest": latest(tx)}

    def _summary(self, tx: Tx) -> Values:
        now = tx.now()
        return summary(tx, self.registry, self.first_steps, now, ends_since(tx, now - LATELY, now))

    def _lines(
        self, tx: Tx, wanted: Filter, sort: str, limit: int, cursor: str | None
    ) -> tuple[list[Values], int, str | None]:
        ids, following = page_of(tx, wanted, ORDERS[sort], limit=limit, cursor=cursor, first_steps=self.first_steps)
        return read_lines(tx, ids, self.first_steps), limit, following


def _page_of(lines: list[Values], limit: int, cursor: str | None) -> Values:
    start = max(0, decode_cursor(cursor, (int,))[0]) if cursor else 0
    following = encode_cursor((start + limit,)) if start + limit < len(lines) else None
    return page(lines[start : start + limit], limit, following)
