"""The warehouse's lists: whoever reads on from the last cursor misses nothing, whenever it came and was committed."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Event, Thread

import pytest
from sqlalchemy import text

from fulfillment_service.main import build
from fulfillment_service.settings import FulfillmentSettings
from fulfillment_service.shipment import ShippingLabel
from fulfillment_service.store import metadata
from fulfillment_service.tests.commands import (
    ShippingHarness,
    allocates,
    asks_to_ship,
    delivers,
    dispatcher,
    releases,
    replies_to,
    stocks,
)
from http_api.tests.client import ServiceClient
from messaging.database import Database
from messaging.memory import MemoryBroker
from messaging.settled import settled_at
from messaging.tests.databases import Clock, given_postgres


class Reader:
    """The warehouse, which keeps the cursor of the last page that it has read."""

    def __init__(self, client: ServiceClient, status: str = "allocated", limit: int = 2) -> None:
        self.client = client
        self.path = f"/fulfillment/shipments?status={status}&limit={limit}"
        self.cursor = ""

    def reads_on(self) -> list[str]:
        """The sessions of all pages from the cursor to the end."""
        found: list[str] = []
        while True:
            answer = self.client.call("GET", self.path + self.cursor, self.client.warehouse).json()
            found += [each["session"] for each in answer["data"]]
            self.cursor = f"&cursor={answer['next_cursor']}" if answer["next_cursor"] else ""
            if not answer["has_more"]:
                return found


def client_of(database: Database) -> ServiceClient:
    transport = MemoryBroker().transport("fulfillment.commands.v1", "fulfillment")
    transport.start()
    _, routers = build(FulfillmentSettings(), database, transport)
    return ServiceClient(database, routers)


@pytest.fixture
def client(database: Database) -> ServiceClient:
    return client_of(database)


def allocated(database: Database, *sessions: str) -> None:
    replies_to(database, *(allocates(session, {"SQUEAKY-BONE": 1}) for session in sessions))


def asked(database: Database, *sessions: str) -> None:
    replies_to(database, *(asks_to_ship(session) for session in sessions))


def test_a_session_that_was_opened_early_and_paid_late_is_not_missed(
    client: ServiceClient, database: Database, clock: Clock
) -> None:
    allocated(database, "clk_1", "clk_2", "clk_3")
    reader = Reader(client)
    assert reader.reads_on() == []
    for session in ("clk_3", "clk_1", "clk_2"):
        asked(database, session)
        clock.now += 1
        assert reader.reads_on() == [session]
    assert reader.reads_on() == []
    assert Reader(client).reads_on() == ["clk_3", "clk_1", "clk_2"]


def test_those_of_one_moment_are_neither_missed_nor_doubled(
    client: ServiceClient, database: Database, clock: Clock
) -> None:
    sessions = [f"clk_{number}" for number in range(5)]
    allocated(database, *sessions)
    asked(database, *sessions[1:])
    reader = Reader(client)
    clock.now += 1
    assert reader.reads_on() == sessions[1:]
    asked(database, sessions[0])
    clock.now += 1
    assert reader.reads_on() == sessions[:1]


def test_what_may_still_come_at_this_very_moment_is_waited_for(
    client: ServiceClient, database: Database, clock: Clock
) -> None:
    allocated(database, "clk_1", "clk_2")
    asked(database, "clk_2")
    reader = Reader(client)
    assert reader.reads_on() == []
    asked(database, "clk_1")
    clock.now += 1
    assert reader.reads_on() == ["clk_1", "clk_2"]


@pytest.mark.parametrize("status", ["shipped", "released", "delivered"])
def test_the_other_lists_can_be_read_on_too(
    client: ServiceClient, database: Database, clock: Clock, status: str
) -> None:
    allocated(database, "clk_1", "clk_2")
    asked(database, "clk_1", "clk_2")
    harness, reader = ShippingHarness(database), Reader(client, status)
    for session in ("clk_2", "clk_1"):
        clock.now += 1
        if status == "shipped":
            harness.shipping.ship({session: ShippingLabel("Dog Sled", "1")})
        elif status == "released":
            replies_to(database, releases(session))
        else:
            replies_to(database, delivers(f"{session}d", {"BARK-ALBUM": 1}))
        clock.now += 1
        assert reader.reads_on() == [f"{session}d" if status == "delivered" else session]


def test_a_cursor_of_another_shape_is_a_422(client: ServiceClient) -> None:
    old = "WyJjbGtfMSJd"  # ["clk_1"]
    assert client.call("GET", f"/fulfillment/shipments?cursor={old}", client.warehouse).status_code == 422


@pytest.mark.parametrize("status", ["requested", "shipped", "released", "delivered"])
def test_each_list_has_its_index(any_database: Database, status: str) -> None:
    moment = {"requested": "asked_at", "shipped": "shipped_at"}.get(status, "ended_at")
    sqlite = any_database.dialect == "sqlite"
    with any_database.begin() as tx:
        if not sqlite:
            tx.execute(text("SET LOCAL enable_seqscan = off"))
            tx.execute(text("SET LOCAL enable_sort = off"))
        explained = tx.execute(
            text(
                f"EXPLAIN {'QUERY PLAN' if sqlite else ''} SELECT * FROM shipments WHERE status = '{status}' "
                f"AND ({moment}, session) > (5, 'clk_1') AND {moment} < 9 ORDER BY {moment}, session LIMIT 3"
            )
        )
        plan = " ".join(str(tuple(row)) for row in explained)
    assert f"ix_shipments_{status}" in plan and "Sort" not in plan and "TEMP B-TREE" not in plan


@pytest.fixture
def postgres() -> Iterator[Database]:
    with given_postgres(metadata) as database:
        stocks(database, {"SQUEAKY-BONE": 10})
        yield database


@pytest.mark.database
def test_what_commits_late_is_waited_for(postgres: Database) -> None:
    """A batch takes its time, another takes a later one and commits first: nobody reads past the first one."""
    allocated(postgres, "clk_1", "clk_2")
    reader = Reader(client_of(postgres))
    written, go_on = Event(), Event()

    def slow() -> None:
        with postgres.begin() as tx:
            dispatcher().handle(tx, [asks_to_ship("clk_1")])
            written.set()
            go_on.wait(20)

    hand = Thread(target=slow)
    hand.start()
    assert written.wait(20)
    asked(postgres, "clk_2")
    try:
        assert reader.reads_on() == []
    finally:
        go_on.set()
        hand.join(20)
    with postgres.read() as tx:
        last = tx.now()
    while settled_at(postgres) <= last:
        pass
    assert reader.reads_on() == ["clk_1", "clk_2"]
