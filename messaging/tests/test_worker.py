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
from messaging.broker import Parcel
from messaging.database import Tx
from messaging.envelope import encode
from messaging.tests.test_envelope import BAD_BODIES
from messaging.tests.workshop import Workshop, command, schema, turns
from messaging.worker import TRIES, LostRace

LIVES = TRIES + 1
"""As many tries, and the life in which the message is parked."""


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path)


def test_B1_every_bad_body_is_parked_once_with_reason_and_bytes_and_the_queue_goes_on(workshop: Workshop) -> None:
    for body in BAD_BODIES.values():
        workshop.arrives_raw(body)
        workshop.arrives_raw(body)
    workshop.arrives(command())
    workshop.works()
    parked = workshop.rows(schema.parked)
    assert len(parked) == len(BAD_BODIES)
    assert all(row["reason"] and row["times"] == 2 and len(row["body"]) <= 64 * 1024 for row in parked)
    assert max(row["size"] for row in parked) > 10_000_000
    assert [reply.outcome for reply in workshop.replies()] == ["done"]


def test_B1_in_a_pack_of_many_only_the_bad_message_is_parked(workshop: Workshop) -> None:
    good = [encode(command(f"clk_{number}")) for number in range(5)]
    workshop.arrives_raw(b"[" + b",".join([*good[:2], b'{"kind":"wish"}', *good[2:]]) + b"]")
    workshop.works()
    assert len(workshop.kept()) == 5
    [parked] = workshop.rows(schema.parked)
    assert "kind" in parked["reason"]


def test_B2_a_message_at_which_the_handler_raises_is_tried_and_parked_and_the_others_do_not_wait(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("messaging.worker.FIRST_PAUSE", 0.001)
    workshop.arrives(*[command(f"clk_{number}", wish="raise" if number == 7 else None) for number in range(20)])
    workshop.worker.round(wait=0.01)
    assert len(workshop.kept()) == 19, "the good ones are worked off in the first round"
    workshop.works()
    [parked] = workshop.rows(schema.parked)
    assert parked["message"] == "clk_7/keeping/1/do"
    assert f"failed {TRIES} times" in parked["reason"]
    assert "as wished" in parked["reason"]
    assert workshop.rows(schema.tries) == []
    workshop.link.close()
    assert workshop.broker.depth("risk.commands.v1") == 0, (
        "the delivery is acknowledged once its last message is dealt with"
    )


def test_B2_a_parked_command_is_tried_again_when_it_is_resent_so_a_repair_heals_it(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("messaging.worker.FIRST_PAUSE", 0.001)
    workshop.arrives(command(wish="raise"))
    workshop.works()
    workshop.arrives(command())
    workshop.works()
    assert workshop.kept() == {"clk_1": 1}


def test_B2_shop_manager_is_told_what_was_parked(workshop: Workshop) -> None:
    workshop.arrives_raw(b"{")
    workshop.works()
    keys = [delivery.routing_key for delivery in workshop.broker.queues["shop_manager.replies.v1"].deliveries]
    assert keys == ["shop_manager.MessageParked.v1"]


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
    deadly = Workshop(folder)
    bodies = b"[" + b",".join(encode(command(f"clk_{number}")) for number in (1, 2, 3)) + b"]"
    for copies in lives:
        if not _life(folder, bodies, copies):
            break
    else:
        pytest.fail("it never stopped killing")
    [parked] = deadly.rows(schema.parked)
    assert parked["message"] == "clk_2/keeping/1/do"
    assert parked["killer"] == 1
    assert deadly.kept() == {"clk_1": 1, "clk_3": 1}


def _life(folder: Path, bodies: bytes, copies: str) -> bool:
    """One life of a process that is killed by the Clerk `clk_2`; True when it died of it."""
    program = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from dataclasses import replace\n"
        "from messaging.tests.workshop import Workshop\n"
        "workshop = Workshop(Path(sys.argv[1]))\n"
        "answers = workshop.desk.handle\n"
        "def deadly(tx, messages):\n"
        "    if any(message.clerk == 'clk_2' for message in messages):\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return answers(tx, messages)\n"
        "workshop.worker.handle = deadly\n"
        "queue = workshop.broker.queues['risk.commands.v1'].deliveries\n"
        "for copy in sys.argv[3].split(', '):\n"
        "    workshop.arrives_raw(bytes.fromhex(sys.argv[2]))\n"
        "    queue.append(replace(queue.pop(), redelivered=copy == 'came back'))\n"
        "workshop.worker.remember()\n"
        "workshop.works()\n"
    )
    life = subprocess.run(
        [sys.executable, "-c", program, str(folder), bodies.hex(), copies],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
        timeout=60,
    )
    assert life.returncode in (0, -signal.SIGKILL)
    return life.returncode != 0


def test_M1_state_turn_and_outgoing_message_commit_together_or_not_at_all(workshop: Workshop) -> None:
    def crash(connection: object) -> None:
        raise KeyboardInterrupt("the process ends before the commit")

    event.listen(workshop.database.engine, "commit", crash)
    workshop.arrives(command())
    with pytest.raises(KeyboardInterrupt):
        workshop.worker.round(wait=0.01)
    event.remove(workshop.database.engine, "commit", crash)
    assert (workshop.kept(), workshop.rows(turns), workshop.rows(schema.outbox)) == ({}, [], [])
    workshop.link.close()
    workshop.open()
    workshop.works()
    assert workshop.kept() == {"clk_1": 1}
    assert [reply.outcome for reply in workshop.replies()] == ["done"]


def test_M1_a_crash_between_commit_and_publish_sends_the_message_later_with_the_same_id(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workshop.outbox, "send", lambda parcels: None)
    workshop.arrives(command())
    workshop.works()
    assert workshop.replies() == []
    monkeypatch.setattr("messaging.outbox.RELAY_AFTER_MS", -1)
    workshop.open()
    assert workshop.outbox.relay() == 1
    assert [reply.id for reply in workshop.replies()] == ["clk_1/keeping/1/do/reply"]
    assert workshop.rows(schema.outbox) == []


def test_M2_what_is_not_committed_is_not_acknowledged(workshop: Workshop) -> None:
    def failing(tx: Tx, messages: Sequence[Message]) -> list[Message]:
        raise KeyboardInterrupt

    workshop.worker.handle = failing
    workshop.arrives(command())
    with pytest.raises(KeyboardInterrupt):
        workshop.worker.round(wait=0.01)
    workshop.link.close()
    assert workshop.broker.depth("risk.commands.v1") == 1


def test_M7_an_unroutable_message_stays_unsent_and_visible(workshop: Workshop) -> None:
    assert workshop.link.publish([Parcel(1, "clerk.commands", "nobody.Keep.v1", b"[]")]) == set()
    assert workshop.link.trouble is not None
    assert "nobody.Keep.v1" in workshop.link.trouble


def test_T3_a_lost_race_is_decided_anew_and_is_no_fault_of_the_message(workshop: Workshop) -> None:
    races = iter([True, True, False])

    def racing(tx: Tx, messages: Sequence[Message]) -> list[Message]:
        if next(races):
            raise LostRace("somebody was quicker")
        return workshop.desk.handle(tx, messages)

    workshop.worker.handle = racing
    workshop.arrives(command())
    workshop.works()
    assert workshop.kept() == {"clk_1": 1}
    assert workshop.rows(schema.tries) == []


def test_statements_and_commits_do_not_grow_with_the_batch(workshop: Workshop) -> None:
    def statements_for(count: int, first: int) -> int:
        seen: list[str] = []
        listener = lambda *arguments: seen.append(arguments[2])  # noqa: E731  # a listener of one line
        event.listen(workshop.database.engine, "before_cursor_execute", listener)
        workshop.arrives(*[command(f"clk_{first + number}") for number in range(count)])
        workshop.worker.round(wait=0.01)
        event.remove(workshop.database.engine, "before_cursor_execute", listener)
        return len(seen)

    statements_for(1, 0)
    few, many = statements_for(2, 100), statements_for(25, 200)
    assert few == many
