"""The operators' side of ShopManager: what the JSON routes under `/ops` and the pages of the dashboard both call."""

from __future__ import annotations

from doors.keys import KeyRing
from doors.operators import Operators
from shop_manager.operations.acts import Acts
from shop_manager.operations.bulk import Bulk
from shop_manager.operations.bulk_run import BulkRun
from shop_manager.operations.news import News
from shop_manager.operations.parked_acts import ParkedActs
from shop_manager.operations.people import People
from shop_manager.operations.reads import Reads
from shop_manager.operations.views import Views
from shop_manager.sessions import Sessions


class Operations:
    """`reads`: all that can be looked at, for every role; values are those of the JSON answers.

    `acts`: what an operator does to one Clerk; `parked_acts`: to one parked message. Whoever calls them passes the
    Caller, whose role they check; every attempt is in the audit. `bulk`: the same to many, run by `bulk_run`.
    `people`: people and keys, for admins; `views`: each operator's saved views.
    `news`: that something has changed.
    """

    def __init__(self, sessions: Sessions) -> None:
        self.database = sessions.manager.database
        self.reads = Reads(sessions)
        self.acts = Acts(sessions)
        self.parked_acts = ParkedActs(sessions)
        self.bulk = Bulk(sessions)
        self.people = People(Operators(KeyRing(self.database)))
        self.views = Views(self.database)
        self.news = News(self.reads.counters, lambda: sessions.watch.closed)
        self.bulk_run = BulkRun(self.acts, self.parked_acts)
