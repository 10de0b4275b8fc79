"""The worker: nothing is lost, nothing happens twice, and a bad message costs the others nothing (M1, M2, B1, B2)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import event

from domain.messages import Message
from messaging.broker import OutboundMessage
from messaging.database import Tx
from messaging.database_errors import ConcurrencyError
from messaging.envelope import encode
from messaging.parked_bound import ROW, ParkedBound
from messaging.senders import Senders
from messaging.tests.counting_service import (
    ServiceHarness,
    command,
    technical,
    turns,
)
from messaging.tests.test_envelope import BAD_BODIES
from messaging.worker import TRIES

LIVES = TRIES + 1
"""As many tries, and the life in which the message is parked."""


@pytest.fixture
def harness(tmp_path: Path) -> ServiceHarness:
    return ServiceHarness(tmp_path)


def test_B1_every_bad_body_is_parked_once_with_reason_and_bytes_and_the_queue_goes_on(harness: ServiceHarness) -> None:
    for body in BAD_BODIES.values():
        harness.deliver_raw(body)
        harness.deliver_raw(body)
    harness.deliver(command())
    harness.run()
    parked = harness.rows(technical.parked)
    assert len(parked) == len(BAD_BODIES)
    assert all(row["reason"] and row["times"] == 2 and len(row["body"]) <= 64 * 1024 for row in parked)
    assert max(row["size"] for row in parked) > 10_000_000
    assert [reply.outcome for reply in harness.replies()] == ["done"]


def test_B1_in_a_pack_of_many_only_the_bad_message_is_parked(harness: ServiceHarness) -> None:
    good = [encode(command(f"clk_{number}")) for number in range(5)]
    harness.deliver_raw(b"[" + b",".join([*good[:2], b'{"kind":"wish"}', *good[2:]]) + b"]")
    harness.run()
    assert len(harness.kept()) == 5
    [parked] = harness.rows(technical.parked)
    assert "kind" in parked["reason"]


def test_B1_who_floods_is_counted_and_does_not_fill_the_database(harness: ServiceHarness) -> None:
    harness.worker.parked_bound = ParkedBound(per_hour=3 * (ROW + 10))
    for number in range(8):
        harness.deliver_raw(b"garbage%03d" % number)
    for number in range(5):
        harness.deliver_raw(b"forged%04d" % number, sender="payment")
    harness.deliver(command())
    harness.run()
    rows = harness.rows(technical.parked)
    assert len(rows) == 8, "three and a line that counts, of each sender"
    lines = {row["sender"]: row for row in rows if "only counted" in row["reason"]}
    assert {sender: (row["times"], len(row["body"]), row["forged"]) for sender, row in lines.items()} == {
        "shop_manager": (5, 0, 0),
        "payment": (2, 0, 1),
    }
    assert sum(row["times"] for row in rows) == 13, "none is lost from the count"
    told = {notice.parked for notice in harness.notices()}
    assert told == {row["id"] for row in rows}, "ShopManager is told of the lines too"
    assert [reply.outcome for reply in harness.replies()] == ["done"], "and the others go on"


def test_B2_a_message_at_which_the_handler_raises_is_tried_and_parked_and_the_others_do_not_wait(
    harness: ServiceHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("messaging.worker.FIRST_PAUSE", 0.001)
    harness.deliver(*[command(f"clk_{number}", told="raise" if number == 7 else None) for number in range(20)])
    harness.worker.round(wait=0.01)
    assert len(harness.kept()) == 19, "the good ones are worked off in the first round"
    harness.run()
    [parked] = harness.rows(technical.parked)
    assert parked["message"] == "clk_7/keeping/1/do"
    assert f"failed {TRIES} times" in parked["reason"]
    assert "as told" in parked["reason"]
    assert harness.rows(technical.tries) == []
    harness.transport.close()
    assert harness.broker.depth("risk.commands.v1") == 0, (
        "the delivery is acknowledged once its last message is dealt with"
    )


def test_B2_a_parked_command_is_tried_again_when_it_is_resent_so_a_repair_heals_it(
    harness: ServiceHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("messaging.worker.FIRST_PAUSE", 0.001)
    harness.deliver(command(told="raise"))
    harness.run()
    harness.deliver(command())
    harness.run()
    assert harness.kept() == {"clk_1": 1}


@pytest.mark.parametrize("stranger", [None, "shop", "risk", "guest"])
def test_B4_a_command_that_shop_manager_has_not_sent_is_parked_for_that_and_its_neighbours_go_on(
    harness: ServiceHarness, stranger: str | None
) -> None:
    harness.deliver(command("clk_1"))
    harness.deliver_raw(b"[" + encode(command("clk_2")) + b"," + encode(command("clk_3")) + b"]", stranger)
    harness.deliver(command("clk_4"))
    harness.worker.round(wait=0.01)
    assert harness.kept() == {"clk_1": 1, "clk_4": 1}
    parked = harness.rows(technical.parked)
    assert {row["message"] for row in parked} == {"clk_2/keeping/1/do", "clk_3/keeping/1/do"}
    assert {(row["sender"], row["forged"]) for row in parked} == {(stranger, 1)}
    assert all("only 'shop_manager' may say this" in row["reason"] for row in parked)
    assert [notice.forged for notice in harness.notices()] == [True, True]


def test_B4_a_forged_message_stands_beside_the_true_one_of_the_same_id_and_changes_nothing_about_it(
    harness: ServiceHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("messaging.worker.FIRST_PAUSE", 0.001)
    harness.deliver(command(told="raise"))
    harness.run()
    harness.deliver_raw(b"[" + encode(command(told="no such thing")) + b"]", "shop")
    harness.run()
    true, forged = sorted(harness.rows(technical.parked), key=lambda row: row["forged"])
    assert (true["message"], true["times"], true["forged"]) == (forged["message"], 1, 0)
    assert "failed 5 times" in true["reason"]
    assert b"no such thing" not in true["body"]
    harness.deliver(command())
    harness.run()
    assert harness.kept() == {"clk_1": 1}, "the true one is handled when it comes again"


def test_B4_what_cannot_be_read_and_comes_from_a_stranger_is_parked_for_both(harness: ServiceHarness) -> None:
    harness.deliver_raw(b'[{"kind": "command", "id": "clk_1/keeping/1/do"}]', "shop")
    harness.deliver_raw(b"squeak", None)
    harness.run()
    assert [(row["forged"], "only 'shop_manager'" in row["reason"]) for row in harness.rows(technical.parked)] == [
        (1, True),
        (1, True),
    ]
    assert any("field name is missing" in row["reason"] for row in harness.rows(technical.parked))


def test_B4_where_all_share_one_user_whoever_has_it_or_names_nobody_is_shop_manager(harness: ServiceHarness) -> None:
    harness.worker.senders = Senders(shared="clerk")
    for number, sender in enumerate(("clerk", None, "shop_manager", "shop")):
        harness.deliver_raw(b"[" + encode(command(f"clk_{number}")) + b"]", sender)
    harness.run()
    assert harness.kept() == {"clk_0": 1, "clk_1": 1, "clk_2": 1}
    assert [row["sender"] for row in harness.rows(technical.parked)] == ["shop"]


def test_B2_shop_manager_is_told_what_was_parked(harness: ServiceHarness) -> None:
    harness.deliver_raw(b"{")
    harness.run()
    topics = [delivery.topic for delivery in harness.broker.queues["shop_manager.replies.v1"].deliveries]
    assert topics == ["shop_manager.MessageParked.v1"]


def test_B2_a_message_that_kills_the_process_is_counted_before_it_is_handled_and_parked_in_the_end(
    tmp_path: Path,
) -> None:
    _is_parked_in_the_end(tmp_path, ["came back"] * LIVES)


@pytest.mark.parametrize("copies", ["came back, fresh", "fresh, came back"])
def test_B2_a_fresh_copy_of_a_message_that_kills_is_no_more_trusted_than_the_one_that_came_back(
    tmp_path: Path, copies: str
) -> None:
    _is_parked_in_the_end(tmp_path, [copies] * LIVES)


def test_B2_once_it_came_back_it_is_counted_also_where_only_fresh_copies_of_it_arrive(tmp_path: Path) -> None:
    _is_parked_in_the_end(tmp_path, ["came back", *["fresh"] * (LIVES - 1)])


def _is_parked_in_the_end(folder: Path, lives: Sequence[str]) -> None:
    """A process finds in each of its lives these copies of three messages, of which the second kills it."""
    deadly = ServiceHarness(folder)
    bodies = b"[" + b",".join(encode(command(f"clk_{number}")) for number in (1, 2, 3)) + b"]"
    for copies in lives:
        if not _life(folder, bodies, copies):
            break
    else:
        pytest.fail("it never stopped killing")
    [parked] = deadly.rows(technical.parked)
    assert parked["message"] == "clk_2/keeping/1/do"
    assert parked["killer"] == 1
    assert deadly.kept() == {"clk_1": 1, "clk_3": 1}


def _life(folder: Path, bodies: bytes, copies: str) -> bool:
    """One life of a process that is killed by the Clerk `clk_2`; True when it died of it."""
    program = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from dataclasses import replace\n"
        "from messaging.tests.counting_service import ServiceHarness\n"
        "harness = ServiceHarness(Path(sys.argv[1]))\n"
        "answers = harness.dispatcher.handle\n"
        "def deadly(tx, messages):\n"
        "    if any(message.clerk == 'clk_2' for message in messages):\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return answers(tx, messages)\n"
        "harness.worker.handle = deadly\n"
        "queue = harness.broker.queues['risk.commands.v1'].deliveries\n"
        "for copy in sys.argv[3].split(', '):\n"
        "    harness.deliver_raw(bytes.fromhex(sys.argv[2]))\n"
        "    queue.append(replace(queue.pop(), redelivered=copy == 'came back'))\n"
        "harness.worker.remember()\n"
        "harness.run()\n"
    )
    life = subprocess.run(
        [sys.executable, "-c", program, str(folder), bodies.hex(), copies],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
        timeout=60,
    )
    assert life.returncode in (0, -signal.SIGKILL)
    return life.returncode != 0


def test_M1_state_turn_and_outgoing_message_commit_together_or_not_at_all(harness: ServiceHarness) -> None:
    def crash(connection: object) -> None:
        raise KeyboardInterrupt("the process ends before the commit")

    event.listen(harness.database.engine, "commit", crash)
    harness.deliver(command())
    with pytest.raises(KeyboardInterrupt):
        harness.worker.round(wait=0.01)
    event.remove(harness.database.engine, "commit", crash)
    assert (harness.kept(), harness.rows(turns), harness.rows(technical.outbox)) == ({}, [], [])
    harness.transport.close()
    harness.open()
    harness.run()
    assert harness.kept() == {"clk_1": 1}
    assert [reply.outcome for reply in harness.replies()] == ["done"]


def test_M1_a_crash_between_commit_and_publish_sends_the_message_later_with_the_same_id(
    harness: ServiceHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(harness.outbox, "send", lambda outbound: None)
    harness.deliver(command())
    harness.run()
    assert harness.replies() == []
    monkeypatch.setattr("messaging.outbox.RELAY_AFTER_MS", -1)
    harness.open()
    assert harness.outbox.relay() == 1
    assert [reply.id for reply in harness.replies()] == ["clk_1/keeping/1/do/reply"]
    assert harness.rows(technical.outbox) == []


def test_M2_what_is_not_committed_is_not_acknowledged(harness: ServiceHarness) -> None:
    def failing(tx: Tx, messages: Sequence[Message]) -> list[Message]:
        raise KeyboardInterrupt

    harness.worker.handle = failing
    harness.deliver(command())
    with pytest.raises(KeyboardInterrupt):
        harness.worker.round(wait=0.01)
    harness.transport.close()
    assert harness.broker.depth("risk.commands.v1") == 1


def test_M7_an_unroutable_message_stays_unsent_and_visible(harness: ServiceHarness) -> None:
    assert harness.transport.publish([OutboundMessage(1, "clerk.commands", "nobody.Keep.v1", b"[]")]) == set()
    assert harness.transport.trouble is not None
    assert "nobody.Keep.v1" in harness.transport.trouble


def test_T3_a_lost_race_is_decided_anew_and_is_no_fault_of_the_message(harness: ServiceHarness) -> None:
    races = iter([True, True, False])

    def racing(tx: Tx, messages: Sequence[Message]) -> list[Message]:
        if next(races):
            raise ConcurrencyError("somebody was quicker")
        return harness.dispatcher.handle(tx, messages)

    harness.worker.handle = racing
    harness.deliver(command())
    harness.run()
    assert harness.kept() == {"clk_1": 1}
    assert harness.rows(technical.tries) == []


def test_statements_and_commits_do_not_grow_with_the_batch(harness: ServiceHarness) -> None:
    def statements_for(count: int, first: int) -> int:
        seen: list[str] = []
        listener = lambda *arguments: seen.append(arguments[2])  # noqa: E731  # a listener of one line
        event.listen(harness.database.engine, "before_cursor_execute", listener)
        harness.deliver(*[command(f"clk_{first + number}") for number in range(count)])
        harness.worker.round(wait=0.01)
        event.remove(harness.database.engine, "before_cursor_execute", listener)
        return len(seen)

    statements_for(1, 0)
    few, many = statements_for(2, 100), statements_for(25, 200)
    assert few == many
