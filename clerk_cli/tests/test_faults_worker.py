"""Faults at a service's handlers, and crashes of its worker: turns, records and replies agree afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import select

from clerk_cli.composition_root import compose
from clerk_cli.databases import files_in, open_one
from clerk_cli.faults.known_commands import KnownCommands
from clerk_cli.faults.switchboard import Fault, Switchboard
from clerk_cli.faults.transport import FaultyTransports
from clerk_cli.faults.worker import make_faulty
from clerk_cli.services import the_service
from clerk_cli.settings_read import read_settings
from domain.messages import Command, Direction, Message, Reply
from messaging.broker import COMMANDS_DESTINATION, REPLIES_QUEUE, OutboundMessage
from messaging.database import Tx
from messaging.envelope import decode, encode, unpack
from messaging.memory import MemoryBroker
from messaging.migrations import migrate
from messaging.tests.brokers import eventually, take
from messaging.worker import Worker
from risk_service.store import reservations, turns
from shop_manager.processes import discover

NAMES = {("credit", "do"): "ReserveCredit", ("credit", "undo"): "ReleaseCredit", ("settle", "do"): "SettleCredit"}


def command(step: str = "credit", direction: Direction = "do", clerk: str = "clk_1", attempt: int = 1) -> Command:
    document = {
        "clerk": {"id": clerk, "process": "standard/1"},
        "customer": {"id": "ada"},
        "order": {"total": 100},
        "payment": {"status": "captured"},
    }
    return Command("risk", NAMES[step, direction], 1, clerk, step, attempt, direction, document, None)


class Risk:
    """Risk with faults; its worker is not started: the test runs each round."""

    def __init__(self, folder: Path) -> None:
        service = the_service("risk")
        self.database = open_one(service, files_in(folder))
        migrate(self.database, service.package)
        self.broker = MemoryBroker()
        self.board = Switchboard()
        transports = FaultyTransports(self.broker.transport, self.board)
        self.participant, _ = compose(service, read_settings(service), self.database, transports.connect)
        self.transport = transports.of["risk"]
        make_faulty(self.participant, self.transport, self.board, KnownCommands(discover()))
        self.transport.start()
        self.replies = self.broker.transport(REPLIES_QUEUE, "shop_manager")
        self.replies.start()

    @property
    def worker(self) -> Worker:
        return self.participant.workers[0]

    def put(self, kind: Any, **more: Any) -> None:
        self.board.put(Fault("risk", kind, **more))

    def ask(self, *commands: Command) -> None:
        body = b"[" + b",".join(map(encode, commands)) + b"]"
        self.replies.publish([OutboundMessage(1, COMMANDS_DESTINATION, "risk.Any.v1", body)])

    def answers(self, *commands: Command) -> list[str]:
        """`outcome` or `outcome code` of the answers to these."""
        if commands:
            self.ask(*commands)
        self.worker.round(wait=0.1)
        deliveries = self.replies.take(100, 0.1)
        self.replies.acknowledge(deliveries)
        replies = [decode(each, "shop_manager") for delivery in deliveries for each in unpack(delivery.body)]
        assert all(isinstance(reply, Reply) for reply in replies)
        return [_shown(reply) for reply in replies]

    def turns(self) -> dict[str, str]:
        with self.database.read() as tx:
            return {row.step: row.state for row in tx.execute(select(turns))}

    def reserved(self) -> list[int]:
        with self.database.read() as tx:
            return [row.amount for row in tx.execute(select(reservations))]


def _shown(reply: Message) -> str:
    assert isinstance(reply, Reply)
    return f"{reply.outcome} {reply.refusal.code}" if reply.refusal else reply.outcome


@pytest.fixture
def risk(tmp_path: Path) -> Iterator[Risk]:
    made = Risk(tmp_path)
    yield made
    made.participant.stop()


def test_without_faults_the_handlers_work_as_always(risk: Risk) -> None:
    assert risk.answers(command()) == ["done"]
    assert (risk.turns(), risk.reserved()) == ({"credit": "done"}, [100])


def test_U2_a_step_that_a_fault_refuses_is_refused_for_good_and_has_kept_nothing(risk: Risk) -> None:
    risk.put("refuse", step="credit")
    assert risk.answers(command()) == ["refused refused_by_fault"]
    assert (risk.turns(), risk.reserved()) == ({"credit": "refused"}, [])
    risk.board.lift()
    assert risk.answers(command()) == ["refused refused_by_fault"]
    assert risk.answers(command(direction="undo")) == ["undone"]


def test_P1_behind_the_pivot_a_fault_refuses_for_now_and_leaves_no_turn(risk: Risk) -> None:
    risk.put("refuse")
    assert risk.answers(command("settle")) == ["refused refused_by_fault"]
    assert risk.turns() == {}
    risk.board.lift()
    assert risk.answers(command("settle", attempt=2)) == ["done"]


def test_M2_a_step_that_was_done_before_the_fault_answers_as_before(risk: Risk) -> None:
    assert risk.answers(command()) == ["done"]
    risk.put("refuse")
    assert risk.answers(command()) == ["done"]


def test_U5_an_undo_fails_as_long_as_the_fault_is_in_force_and_then_succeeds(risk: Risk) -> None:
    assert risk.answers(command()) == ["done"]
    risk.put("fail_undo")
    assert risk.answers(command(direction="undo")) == ["refused undo_failed_by_fault"]
    assert (risk.turns(), risk.reserved()) == ({"credit": "done"}, [100])
    risk.board.lift()
    assert risk.answers(command(direction="undo", attempt=2)) == ["undone"]
    assert (risk.turns(), risk.reserved()) == ({"credit": "undone"}, [])


def test_an_undo_fails_so_many_times_and_the_same_question_counts_once(risk: Risk) -> None:
    risk.answers(command())
    risk.put("fail_undo", times=1)
    failed = "refused undo_failed_by_fault"
    asked = [command(direction="undo"), command(direction="undo"), command(direction="undo", attempt=2)]
    assert [risk.answers(each) for each in asked] == [[failed], [failed], ["undone"]]


def test_D3_a_command_that_a_fault_makes_unknown_changes_nothing(risk: Risk) -> None:
    risk.put("unsupported", step="credit")
    assert sorted(risk.answers(command(), command("settle", clerk="clk_2"))) == ["done", "unsupported"]
    assert risk.turns() == {"settle": "done"}
    risk.board.lift()
    assert risk.answers(command()) == ["done"]


def test_M1_who_dies_in_the_middle_of_a_batch_has_done_nothing_and_is_succeeded_by_one_who_does_it_once(
    risk: Risk,
) -> None:
    dead = risk.worker
    risk.put("crash", times=1)
    risk.ask(command(), command("settle", clerk="clk_2"))
    with pytest.raises(SystemExit):
        dead.round(wait=0.1)
    eventually(lambda: risk.worker is not dead and risk.worker.alive, "a new worker")
    eventually(lambda: len(risk.turns()) == 2, "the batch is done")
    assert (risk.turns(), risk.reserved()) == ({"credit": "done", "settle": "done"}, [100])
    [delivery, *others] = [*take(risk.replies, 1), *risk.replies.take(10, 0.05)]
    assert sum(len(unpack(each.body)) for each in (delivery, *others)) == 2
    assert risk.transport.connections == 2


def test_who_dies_with_one_step_lives_with_the_others(risk: Risk) -> None:
    risk.put("crash", step="credit", times=1)
    assert risk.answers(command("settle")) == ["done"]
    with pytest.raises(SystemExit):
        risk.answers(command(clerk="clk_2"))


def test_a_crash_of_the_whole_process_kills_it_the_hard_way(risk: Risk, monkeypatch: pytest.MonkeyPatch) -> None:
    kills: list[tuple[int, int]] = []
    monkeypatch.setattr("clerk_cli.faults.worker.os.kill", lambda *arguments: kills.append(arguments))
    risk.put("crash", name="process", times=1)
    with pytest.raises(SystemExit):
        risk.answers(command())
    assert [number for _, number in kills] == [9]


def test_a_participant_that_is_built_in_another_way_is_noticed(risk: Risk) -> None:
    def handle(tx: Tx, messages: object) -> list[Message]:
        return []

    risk.worker.handle = cast("Any", handle)
    with pytest.raises(TypeError, match="risk: its worker's handler is no dispatcher's"):
        make_faulty(risk.participant, risk.transport, risk.board, KnownCommands(discover()))
