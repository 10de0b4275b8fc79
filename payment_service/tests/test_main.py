"""Payment as it runs: worker, gateway and tick in their own threads, over the in-process broker."""

from __future__ import annotations

from pathlib import Path
from time import monotonic

import pytest

from domain.messages import Command, Reply
from messaging.broker import COMMANDS_DESTINATION, REPLIES_QUEUE, OutboundMessage, commands_queue
from messaging.database import Database
from messaging.envelope import decode, encode, unpack
from messaging.memory import MemoryBroker, MemoryTransport
from messaging.tests.readiness import becomes_ready
from payment_service import main
from payment_service.settings import PaymentSettings
from payment_service.store import metadata
from payment_service.tests.harness import command


def ask(manager: MemoryTransport, asked: Command) -> Reply:
    """Send one command and wait for its reply, five seconds at most."""
    body = b"[" + encode(asked) + b"]"
    manager.publish([OutboundMessage(1, COMMANDS_DESTINATION, f"payment.{asked.name}.v1", body)])
    end = monotonic() + 5
    while monotonic() < end:
        for delivery in manager.take(1, 0.5):
            manager.acknowledge([delivery])
            reply = decode(unpack(delivery.body)[0], "shop_manager")
            assert isinstance(reply, Reply)
            return reply
    raise AssertionError(f"{asked.name} was not answered")


def test_commands_are_answered_by_the_running_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(main, "require_migrated", lambda database, package: None)
    database = Database(f"sqlite:///{tmp_path / 'payment.db'}")
    metadata.create_all(database.engine)
    broker = MemoryBroker()
    participant, _ = main.build(PaymentSettings(), database, broker.transport(commands_queue("payment"), "payment"))
    manager = broker.transport(REPLIES_QUEUE, "shop_manager")
    manager.start()
    participant.start()
    assert becomes_ready(participant, 5)

    try:
        outcomes = [
            ask(manager, asked).outcome
            for asked in (
                command("AuthorizePayment", token="tok_lost", deadline=None),
                command("CapturePayment", deadline=None),
                command("AuthorizePayment", token="tok_declined", clerk="clk_2", deadline=None),
                command("VoidPayment", clerk="clk_3", deadline=None),
            )
        ]
    finally:
        participant.stop()

    assert outcomes == ["done", "done", "refused", "undone"]
