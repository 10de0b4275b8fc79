"""What operators read of live and stuck Clerks costs the same however many have ended, in steps of SQLite's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from sqlalchemy import event, select, update

from domain.times import days
from shop_manager.engine import store
from shop_manager.engine.tables import clerks
from shop_manager.saga.state import Stuck
from shop_manager.tests.http_harness import SERVER, HttpHarness

VIEWER = "op_night"
LIVE, STUCK, FEW, MANY = 20, 5, 20, 2_000
MOST = 1.2
STEPS = 10
WRITTEN = [column for column in clerks.c if column.computed is None]
"""So many steps of SQLite are counted as one."""
WORK = [
    "/ops/clerks?stuck=true",
    "/ops/clerks?stuck=true&sort=created_at",
    "/ops/clerks?stuck=true&older_than=1h",
    "/ops/clerks?stuck=true&kind=no_answer&step=shopping",
    "/ops/clerks?stuck=true&sort=stuck_since",
    "/ops/clerks?status=open",
    "/ops/clerks?updated_since=2200-01-01T00:00:00Z",
    "/ops/clerks?status=processing",
    "/ops/clerks?status=canceling",
    "/ops/clerks?step=shopping",
    "/ops/clerks?step=shopping&process=standard/1&older_than=1h",
    "/ops/clerks?sort=next_wake_at",
    "/ops/clerks?customer=ada",
    "/ops/clerks?client_reference=web-1",
    "/ops/processes",
]


def test_what_has_ended_costs_live_and_stuck_work_nothing(harness: HttpHarness) -> None:
    ended = called_off(harness)
    opened = [harness.opened()["id"] for _ in range(LIVE + STUCK)]
    make_stuck(harness, opened[:STUCK])
    copy(harness, ended, FEW)
    few = {path: steps_of(harness, path) for path in WORK}
    copy(harness, ended, MANY)
    many = {path: steps_of(harness, path) for path in WORK}
    assert {path: (few[path], many[path]) for path in WORK if many[path] > MOST * few[path]} == {}


def make_stuck(harness: HttpHarness, ids: list[str]) -> None:
    """They were opened long before all that has ended since."""
    stuck = Stuck("no_answer", harness.now, "shopping", "shop", "no_answer", "asked eight times")
    with harness.database.begin() as tx:
        held = store.read(tx, ids)
        store.write(tx, [(replace(each.saga, stuck=stuck), each.revision, each.digest) for each in held.values()], [])
        long_ago = update(clerks).where(clerks.c.id.in_(ids))
        tx.execute(long_ago.values(opened_at=clerks.c.opened_at - days(2)))


def called_off(harness: HttpHarness) -> str:
    name: str = harness.opened()["id"]
    harness.sent()
    harness.call("POST", f"/shop/session/{name}/cancel", SERVER)
    harness.goes_on_to_the_end()
    assert harness.session(name)["status"] == "canceled"
    return name


def copy(harness: HttpHarness, ended: str, count: int) -> None:
    """So many more have ended so, opened one after the other until now."""
    with harness.database.begin() as tx:
        row = tx.execute(select(*WRITTEN).where(clerks.c.id == ended)).one()._asdict()
        at = row["opened_at"]
        copies = [{**row, "id": f"{ended}-{count}-{each}", "opened_at": at - each * 1_000} for each in range(count)]
        tx.insert(clerks, copies)


def steps_of(harness: HttpHarness, path: str) -> int:
    """How many steps SQLite takes to answer, of STEPS each; asked once before, so that everything is at hand."""
    with counted(harness) as steps:
        harness.get(path, VIEWER)
        steps.clear()
        assert harness.get(path, VIEWER).status_code == 200
        return len(steps)


@contextmanager
def counted(harness: HttpHarness) -> Iterator[list[None]]:
    steps: list[None] = []

    def step() -> None:
        steps.append(None)

    def notifier(connection: Any, _record: Any) -> None:
        connection.set_progress_handler(step, STEPS)

    harness.database.engine.dispose()
    event.listen(harness.database.engine, "connect", notifier)
    yield steps
    event.remove(harness.database.engine, "connect", notifier)
    harness.database.engine.dispose()
