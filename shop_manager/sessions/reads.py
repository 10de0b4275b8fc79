"""Reads Clerks as sessions for the HTTP routes: who may see which, and how each is shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from domain.document import part
from http_api.places import Places
from http_api.principals import Kind, Principal, may_act_on, require_kind
from http_api.problems import not_found
from http_api.request import Origin
from http_api.together import Together
from messaging.database import Tx
from shop_manager.engine import store
from shop_manager.engine.manager import Manager
from shop_manager.saga.state import Saga
from shop_manager.sessions.change_notifier import ChangeNotifier, Waiter
from shop_manager.sessions.event_tickets import EventTickets
from shop_manager.sessions.view import public_session, steps_of
from shop_manager.sessions.waiting_places import PER_ADDRESS, places_for

MAY_READ: Sequence[Kind] = ("customer", "server", "operator")
CLIENTS: Sequence[Kind] = ("customer", "server")
"""Who acts on sessions. Operators act under /ops/clerks, with a reason."""


class Sessions:
    """The Clerks as sessions. All reading methods read anew; those of the event loop say so.

    `waiting_per_address`: calls of one address without an access key that may wait for changes at a time.
    """

    def __init__(self, manager: Manager, notifier: ChangeNotifier, waiting_per_address: int = PER_ADDRESS) -> None:
        self.manager = manager
        self.notifier = notifier
        self.places = Places()
        self.tickets = EventTickets(manager.database)
        self._waiting_per_address = waiting_per_address
        self._together = Together(self._find)
        self.first_steps = sorted({process.steps[0].name for process in manager.processes.by_reference.values()})

    def read(self, clerk: str, who: Principal, kinds: Sequence[Kind] = MAY_READ) -> Saga:
        """The Clerk, if `who` may see it; else the same 404 as for one that does not exist (S1).

        Problem 401 without credentials and 403 with a key of none of these kinds, the same for every id.
        """
        require_kind(who, *kinds)
        return _shown_to(who, self._find([clerk])[0])

    async def seen(self, clerk: str, who: Principal, kinds: Sequence[Kind] = MAY_READ) -> Saga:
        """`read` in the event loop: those who ask in the same moment share a transaction, which begins after that."""
        require_kind(who, *kinds)
        return _shown_to(who, await self._together.ask(clerk))

    async def seen_again(self, clerk: str) -> Saga:
        """`reread` in the event loop."""
        return _there(await self._together.ask(clerk))

    def reread(self, clerk: str) -> Saga:
        """A Clerk that was seen before: nothing ever deletes one (E4)."""
        return _there(self._find([clerk])[0])

    @contextmanager
    def waiting(self, clerk: str, who: Principal, origin: Origin) -> Iterator[Waiter]:
        """A place to wait for changes of the Clerk; the caller then looks whether `who` may see it.

        Problem 429 `too_many_requests` when this caller has enough of them, 503 `overloaded` when there is no more.
        """
        places = places_for(clerk, who, origin, self._waiting_per_address)
        with self.places.held(places), self.notifier.watching(clerk) as waiter:
            yield waiter

    def read_many(self, tx: Tx, ids: Sequence[str]) -> list[Saga]:
        """In the order of the ids."""
        found = store.read(tx, ids) if ids else {}
        return [found[clerk].saga for clerk in ids if clerk in found]

    def shown(self, saga: Saga) -> dict[str, Any]:
        """The public session."""
        return public_session(saga, steps_of(self.manager.processes, saga))

    def _find(self, ids: Sequence[str]) -> list[Saga | None]:
        with self.manager.database.look() as tx:
            found = store.read(tx, ids)
        return [found[clerk].saga if clerk in found else None for clerk in ids]


def _there(saga: Saga | None) -> Saga:
    if saga is None:
        raise not_found()
    return saga


def _shown_to(who: Principal, saga: Saga | None) -> Saga:
    if saga is None or not may_see(who, saga):
        raise not_found()
    return saga


def may_see(who: Principal, saga: Saga) -> bool:
    secret = part(saga.document, "clerk").get("secret_sha256")
    return who.kind in ("server", "operator") or (isinstance(secret, str) and may_act_on(who, secret))
