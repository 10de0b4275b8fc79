"""What operators read of live and stuck Clerks costs the same however many have ended, in steps of SQLite's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from sqlalchemy import event, select, update

from domain.times import days
from shop_manager import store
from shop_manager.saga import Stuck
from shop_manager.store import clerks
from shop_manager.tests.house import SERVER, House

VIEWER = "op_night"
LIVE, STUCK, FEW, MANY = 20, 5, 20, 2_000
MOST = 1.2
STEPS = 10
"""So many steps of SQLite are counted as one."""
WORK = [
    "/ops/clerks?stuck=true",
    "/ops/clerks?stuck=true&sort=created_at",
    "/ops/clerks?stuck=true&older_than=1h",
    "/ops/clerks?stuck=true&kind=no_answer&step=shopping",
    "/ops/clerks?stuck=true&sort=stuck_since",
    "/ops/clerks?status=open",
    "/ops/clerks?status=processing",
    "/ops/clerks?status=canceling",
    "/ops/clerks?step=shopping",
    "/ops/clerks?step=shopping&process=standard/1&older_than=1h",
    "/ops/clerks?sort=next_wake_at",
    "/ops/clerks?customer=ada",
    "/ops/clerks?client_reference=web-1",
    "/ops/processes",
]


def test_what_has_ended_costs_live_and_stuck_work_nothing(house: House) -> None:
    ended = called_off(house)
    opened = [house.opened()["id"] for _ in range(LIVE + STUCK)]
    make_stuck(house, opened[:STUCK])
    copy(house, ended, FEW)
    few = {path: steps_of(house, path) for path in WORK}
    copy(house, ended, MANY)
    many = {path: steps_of(house, path) for path in WORK}
    assert {path: (few[path], many[path]) for path in WORK if many[path] > MOST * few[path]} == {}


def make_stuck(house: House, ids: list[str]) -> None:
    """They were opened long before all that has ended since."""
    stuck = Stuck("no_answer", house.now, "shopping", "shop", "no_answer", "asked eight times")
    with house.database.begin() as tx:
        held = store.read(tx, ids)
        store.write(tx, [(replace(each.saga, stuck=stuck), each.revision, each.digest) for each in held.values()], [])
        long_ago = update(clerks).where(clerks.c.id.in_(ids))
        tx.execute(long_ago.values(opened_at=clerks.c.opened_at - days(2)))


def called_off(house: House) -> str:
    name: str = house.opened()["id"]
    house.sent()
    house.call("POST", f"/shop/session/{name}/cancel", SERVER)
    house.goes_on_to_the_end()
    assert house.session(name)["status"] == "canceled"
    return name


def copy(house: House, ended: str, count: int) -> None:
    """So many more have ended so, opened one after the other until now."""
    with house.database.begin() as tx:
        row = tx.execute(select(clerks).where(clerks.c.id == ended)).one()._asdict()
        at = row["opened_at"]
        copies = [{**row, "id": f"{ended}-{count}-{each}", "opened_at": at - each * 1_000} for each in range(count)]
        tx.insert(clerks, copies)


def steps_of(house: House, path: str) -> int:
    """How many steps SQLite takes to answer, of STEPS each; asked once before, so that everything is at hand."""
    with counted(house) as steps:
        house.get(path, VIEWER)
        steps.clear()
        assert house.get(path, VIEWER).status_code == 200
        return len(steps)


@contextmanager
def counted(house: House) -> Iterator[list[None]]:
    steps: list[None] = []

    def step() -> None:
        steps.append(None)

    def watch(connection: Any, _record: Any) -> None:
        connection.set_progress_handler(step, STEPS)

    house.database.engine.dispose()
    event.listen(house.database.engine, "connect", watch)
    yield steps
    event.remove(house.database.engine, "connect", watch)
    house.database.engine.dispose()
