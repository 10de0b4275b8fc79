"""A small service for tests of worker and turns: it counts, and fails as `told` in the command's document."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from time import monotonic
from typing import Any

from sqlalchemy import Column, Integer, MetaData, String, Table, Text, select

from domain.messages import SHOP_MANAGER, Command, Message, ParkedNotice, Reply
from domain.refusals import Refused
from messaging.broker import REPLIES_QUEUE, OutboundMessage, commands_queue
from messaging.database import Database, Tx
from messaging.envelope import decode, pack, unpack
from messaging.memory import MemoryBroker
from messaging.outbox import Outbox
from messaging.technical_tables import technical_tables
from messaging.turns import Dispatcher, Done, Failing, HandlerResult, ServiceDefinition, Undone, Waiting, turns_table
from messaging.worker import Worker

metadata = MetaData()
technical = technical_tables(metadata)
turns = turns_table(metadata)
effects = Table(
    "effects", metadata, Column("clerk", String(128), primary_key=True), Column("kept", Integer, nullable=False),
    Column("by", Text),
)  # fmt: skip


class Effects:
    """A unit of work that counts how often something was kept for a Clerk."""

    def __init__(self, kept: dict[str, int]) -> None:
        self.kept = kept
        self.changed: set[str] = set()

    def add(self, clerk: str, change: int) -> int:
        self.kept[clerk] = self.kept.get(clerk, 0) + change
        self.changed.add(clerk)
        return self.kept[clerk]

    def save(self, tx: Tx) -> None:
        rows = [{"clerk": clerk, "kept": self.kept[clerk], "by": "test"} for clerk in sorted(self.changed)]
        tx.upsert(effects, rows, ["clerk"])


def open_effects(tx: Tx, commands: Sequence[Command]) -> Effects:
    rows = tx.execute(select(effects).where(effects.c.clerk.in_({command.clerk for command in commands})))
    return Effects({row.clerk: row.kept for row in rows})


def keep(command: Command, uow: Effects, now: int) -> HandlerResult:
    told = command.document.get("told")
    if told == "refuse":
        return Refused("no", "as told")
    if told == "wait":
        return Waiting()
    if told == "raise":
        raise RuntimeError("as told")
    return Done({"status": "kept", "times": uow.add(command.clerk, 1)})


def put_back(command: Command, uow: Effects, now: int) -> HandlerResult:
    if command.document.get("told") == "cannot":
        return Failing(Refused("cannot_now", "as told"))
    if command.document.get("told") == "wait":
        return Waiting()
    if uow.kept.get(command.clerk):
        uow.add(command.clerk, -1)
    return Undone({"status": "put back"})


SERVICE: ServiceDefinition[Effects] = ServiceDefinition(
    name="risk",
    handlers={("Keep", 1): keep, ("PutBack", 1): put_back},
    open_unit_of_work=open_effects,
    locks=lambda command: (),
    blank={"status": "none"},
)


def command(
    clerk: str = "clk_1", direction: str = "do", *, attempt: int = 1, version: int = 1, **document: Any
) -> Command:
    return Command(
        service="risk",
        name="Keep" if direction == "do" else "PutBack",
        version=version,
        clerk=clerk,
        step="keeping",
        attempt=attempt,
        direction="do" if direction == "do" else "undo",
        document={"clerk": {"id": clerk}, "unknown": {"kept": ["as", "it", "is"]}, **document},
        sent_at=1_000,
    )


class ServiceHarness:
    """The service on SQLite and the in-process broker, without threads: `run` runs rounds until nothing is left."""

    def __init__(self, folder: Path, handle: Callable[[Tx, Sequence[Message]], list[Message]] | None = None) -> None:
        self.database = Database(f"sqlite:///{folder}/service.db")
        metadata.create_all(self.database.engine)
        self.broker = MemoryBroker()
        self.dispatcher = Dispatcher(SERVICE, turns)
        self.handle = handle or self.dispatcher.handle
        self.open()

    def open(self) -> None:
        self.transport = self.broker.transport(commands_queue("risk"), "risk")
        self.outbox = Outbox(technical.outbox, self.database, self.transport)
        self.worker = Worker("risk", self.database, technical, self.outbox, self.handle)
        self.transport.start()

    def deliver(self, *messages: Message) -> None:
        """ShopManager sends these commands."""
        manager = self.broker.transport(None, SHOP_MANAGER)
        manager.start()
        for destination, topic, body in pack(messages):
            manager.publish([OutboundMessage(0, destination, topic, body)])

    def deliver_raw(self, body: bytes, sender: str | None = SHOP_MANAGER) -> None:
        self.broker.put(commands_queue("risk"), body, "risk.Keep.v1", sender)

    def keep_untold(self, clerk: str) -> None:
        """Something is kept for the Clerk of which its turn knows nothing."""
        with self.database.begin() as tx:
            tx.upsert(effects, [{"clerk": clerk, "kept": 1, "by": "nobody"}], ["clerk"])

    def run(self, limit: float = 20.0) -> None:
        end = monotonic() + limit
        while self.broker.depth(commands_queue("risk")) or self.worker.held:
            assert monotonic() < end, "the worker is not quiet in time"
            self.worker.round(wait=0.01)

    def replies(self) -> list[Reply]:
        queue = self.broker.queues[REPLIES_QUEUE].deliveries
        messages = [decode(each, "shop_manager") for delivery in queue for each in unpack(delivery.body)]
        return [message for message in messages if isinstance(message, Reply)]

    def notices(self) -> list[ParkedNotice]:
        queue = self.broker.queues[REPLIES_QUEUE].deliveries
        messages = [decode(each, "shop_manager") for delivery in queue for each in unpack(delivery.body)]
        return [message for message in messages if isinstance(message, ParkedNotice)]

    def rows(self, table: Table) -> list[dict[str, Any]]:
        with self.database.read() as tx:
            return [dict(row._mapping) for row in tx.execute(select(table))]

    def kept(self) -> dict[str, int]:
        return {row["clerk"]: row["kept"] for row in self.rows(effects)}
