"""The operators' side of ShopManager in one object: the JSON routes under `/ops` and the dashboard's pages call it."""

from __future__ import annotations

from http_api.keys import KeyRing
from http_api.operators import Operators
from http_api.places import Places
from shop_manager.operations.acts import Acts
from shop_manager.operations.bulk import Bulk
from shop_manager.operations.bulk_run import BulkRun
from shop_manager.operations.change_notifier import ListChangeNotifier
from shop_manager.operations.claims import Claims
from shop_manager.operations.clocks import Clocks
from shop_manager.operations.credit_question import CreditQuestion
from shop_manager.operations.customer import CustomerReads
from shop_manager.operations.forgetting import Forgetting
from shop_manager.operations.login_audit import LoginAudit
from shop_manager.operations.mentions import Mentions
from shop_manager.operations.parked_acts import ParkedActs
from shop_manager.operations.people import People
from shop_manager.operations.reads import Reads
from shop_manager.operations.runbooks import Runbooks
from shop_manager.operations.saved_views import Views
from shop_manager.sessions.reads import Sessions


class Operations:
    """`reads`: all that can be looked at, for every role; values are those of the JSON answers. `customers`: the same
    of one customer, with `credit`, which asks risk.

    `acts`: what an operator does to one Clerk; `claims`: who looks after a stuck one; `parked_acts`: to one parked
    message; `bulk`: the same to many, carried
    out by `bulk_run`; `people`: people and keys, for admins. These get the Principal and check its role; every attempt
    is in the audit, and so are logins, by `login_audit`. `views`: each operator's saved views; `mentions`: the
    notes that name each; `clocks`: in which time
    each reads the pages. `forgetting`: takes persons
    out of ended orders. `runbooks`: what to do and who is responsible, for a service or a cause. `notifier`: tells
    open lists that something has changed; `open_pages`: places of the dashboard's pages that listen.
    """

    def __init__(self, sessions: Sessions) -> None:
        self.database = sessions.manager.database
        self.forgetting = Forgetting(sessions.manager)
        self.reads = Reads(sessions)
        self.customers = CustomerReads(sessions)
        self.acts = Acts(sessions)
        self.claims = Claims(sessions)
        self.parked_acts = ParkedActs(sessions)
        self.bulk = Bulk(sessions)
        self.people = People(Operators(KeyRing(self.database)))
        self.credit = CreditQuestion(self.people.ring)
        self.views = Views(self.database)
        self.mentions = Mentions(self.database)
        self.runbooks = Runbooks(self.database)
        self.clocks = Clocks(self.database)
        self.login_audit = LoginAudit(self.database)
        self.notifier = ListChangeNotifier(self.reads.counters, lambda: sessions.notifier.closed)
        self.open_pages = Places()
        self.bulk_run = BulkRun(self.acts, self.parked_acts)
