"""Reading Clerks for the doors: who may see which, and how they are shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from domain.document import part
from doors.callers import Caller, may_act_on
from doors.problems import not_found
from messaging.database import Tx
from shop_manager import store
from shop_manager.manager import Manager
from shop_manager.public import public_session, steps_of
from shop_manager.saga import Saga
from shop_manager.waiting import Watch


class Sessions:
    """The Clerks as sessions. All methods are synchronous and read the database anew."""

    def __init__(self, manager: Manager, watch: Watch) -> None:
        self.manager = manager
        self.watch = watch
        self.first_steps = sorted({process.steps[0].name for process in manager.catalogue.by_reference.values()})

    def read(self, clerk: str, who: Caller) -> Saga:
        """The Clerk, if the caller may see it; else the same 404 as for one that does not exist (S1)."""
        if who.kind not in ("customer", "server", "operator"):
            raise not_found()
        saga = self._find(clerk)
        if saga is None or not may_see(who, saga):
            raise not_found()
        return saga

    def reread(self, clerk: str) -> Saga:
        """A Clerk that was seen before: nothing ever deletes one (E4)."""
        saga = self._find(clerk)
        if saga is None:
            raise not_found()
        return saga

    def read_many(self, tx: Tx, ids: Sequence[str]) -> list[Saga]:
        """In the order of the ids."""
        held = store.read(tx, ids) if ids else {}
        return [held[clerk].saga for clerk in ids if clerk in held]

    def shown(self, saga: Saga) -> dict[str, Any]:
        """The public session."""
        return public_session(saga, steps_of(self.manager.catalogue, saga))

    def _find(self, clerk: str) -> Saga | None:
        with self.manager.database.read() as tx:
            held = store.read(tx, [clerk]).get(clerk)
        return held.saga if held else None


def may_see(who: Caller, saga: Saga) -> bool:
    secret = part(saga.document, "clerk").get("secret_sha256")
    return who.kind in ("server", "operator") or (isinstance(secret, str) and may_act_on(who, secret))
