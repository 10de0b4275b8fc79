"""The switchboard: which fault meets which message, how often and for how long."""

from __future__ import annotations

from typing import Any

import pytest

from clerk_cli.faults.known_commands import KnownCommands
from clerk_cli.faults.switchboard import (
    REMEMBERED,
    Fault,
    FaultKind,
    MessageTraits,
    Switchboard,
)
from domain.messages import Command
from shop_manager.processes import discover


class Clock:
    """Seconds, as the test says."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def board(clock: Clock) -> Switchboard:
    return Switchboard(clock)


def meets(board: Switchboard, kind: FaultKind, step: str | None = "credit", name: str | None = "ReserveCredit") -> bool:
    return board.use("risk", kind, MessageTraits(step, name, "clk_1", 1)) is not None


def test_without_faults_all_is_well(board: Switchboard) -> None:
    assert not meets(board, "refuse")
    assert not board.paused("risk")
    assert board.in_force() == []


def test_a_fault_meets_every_message_of_its_service_and_no_other(board: Switchboard) -> None:
    board.put(Fault("risk", "refuse"))
    assert meets(board, "refuse") and meets(board, "refuse", "settle", "SettleCredit")
    assert not meets(board, "fail_undo")
    assert board.use("shop", "refuse", MessageTraits("shopping", "StartShopping")) is None


@pytest.mark.parametrize(
    ("narrow", "met"),
    [({"step": "credit"}, True), ({"step": "settle"}, False), ({"name": "ReserveCredit"}, True),
     ({"name": "SettleCredit"}, False), ({"step": "credit", "name": "ReleaseCredit"}, False),
     ({"clerk": "clk_1"}, True), ({"clerk": "clk_2"}, False), ({"attempt": 1}, True), ({"attempt": 2}, False),
     ({"step": "credit", "clerk": "clk_1", "attempt": 1}, True), ({"step": "settle", "clerk": "clk_1"}, False)],
)  # fmt: skip
def test_a_fault_of_a_step_command_clerk_or_attempt_meets_that_one_only(
    board: Switchboard, narrow: dict[str, Any], met: bool
) -> None:
    board.put(Fault("risk", "drop_replies", **narrow))
    assert meets(board, "drop_replies") is met


def test_what_cannot_be_read_is_met_by_faults_of_the_whole_service_only(board: Switchboard) -> None:
    board.put(Fault("risk", "delay", step="credit", seconds=1))
    assert not meets(board, "delay", None, None)
    board.put(Fault("risk", "delay", seconds=1))
    assert meets(board, "delay", None, None)


def test_a_fault_acts_as_often_as_it_was_asked_for(board: Switchboard) -> None:
    board.put(Fault("risk", "drop_replies", times=2))
    assert [meets(board, "drop_replies") for _ in range(3)] == [True, True, False]
    assert board.in_force() == []


def test_the_same_message_meets_the_same_fault_and_costs_nothing(board: Switchboard, clock: Clock) -> None:
    board.put(Fault("risk", "refuse", times=1))

    def refused(message: str) -> bool:
        return board.use("risk", "refuse", MessageTraits("credit", "ReserveCredit"), message) is not None

    assert [refused("one"), refused("one"), refused("two")] == [True, True, False]
    clock.now += REMEMBERED
    assert not refused("one")


def test_a_fault_with_seconds_is_over_by_itself(board: Switchboard, clock: Clock) -> None:
    board.put(Fault("risk", "pause", seconds=2))
    clock.now += 1.9
    assert board.paused("risk")
    clock.now += 0.1
    assert not board.paused("risk")
    assert board.in_force() == []


def test_the_seconds_of_a_delay_are_how_late_and_not_how_long(board: Switchboard, clock: Clock) -> None:
    board.put(Fault("risk", "delay", seconds=2))
    clock.now += 1000
    assert meets(board, "delay")


def test_a_fault_replaces_the_one_at_its_place(board: Switchboard) -> None:
    board.put(Fault("risk", "delay", seconds=1))
    board.put(Fault("risk", "delay", step="credit", seconds=2))
    board.put(Fault("risk", "delay", seconds=3))
    assert [(each.fault.step, each.fault.seconds) for each in board.in_force()] == [("credit", 2), (None, 3)]


def test_a_pause_of_a_step_holds_that_step_and_does_not_pause_the_service(board: Switchboard) -> None:
    board.put(Fault("risk", "pause", step="credit"))
    assert board.holds("risk", MessageTraits("credit", "ReserveCredit"))
    assert not board.holds("risk", MessageTraits("settle", "SettleCredit"))
    assert not board.paused("risk")


def test_resume_lifts_the_pauses_of_a_service_all_or_those_of_a_step(board: Switchboard) -> None:
    for fault in (Fault("risk", "pause", step="credit"), Fault("risk", "pause"), Fault("shop", "pause")):
        board.put(fault)
    board.put(Fault("risk", "refuse"))
    board.resume("risk", step="credit")
    assert [(each.fault.service, each.fault.kind) for each in board.in_force()] == [
        ("risk", "pause"), ("shop", "pause"), ("risk", "refuse")
    ]  # fmt: skip
    board.resume("risk")
    assert not board.paused("risk") and board.paused("shop")
    assert meets(board, "refuse")


def test_lift_ends_all_and_who_waits_is_told(board: Switchboard) -> None:
    told: list[str] = []
    board.on_change.append(lambda: told.append("changed"))
    board.put(Fault("risk", "pause"))
    board.put(Fault("shop", "refuse"))
    board.lift()
    assert board.in_force() == []
    assert len(told) == 3


# --- what can be meant at all ----------------------------------------------------------------------------------------

KNOWN = KnownCommands(discover())


@pytest.mark.parametrize(
    ("fault", "wrong"),
    [
        (Fault("risk", "refuse", step="credit"), None),
        (Fault("risk", "refuse", step="stock"), ("step", ["credit", "settle"])),
        (Fault("risk", "fail_undo", step="settle"), ("step", ["credit"])),
        (Fault("risk", "fail_undo", name="ReserveCredit"), ("name", ["ReleaseCredit"])),
        (Fault("risk", "drop_replies", step="settle", name="ReserveCredit"), ("name", ["SettleCredit"])),
        (Fault("payment", "refuse", name="WriteOffPayment"), None),
        (Fault("risk", "crash", name="process"), None),
        (Fault("shop_manager", "duplicate", step="stock", name="ReleaseStock"), None),
        (Fault("risk", "pause", name="process"), ("name", ["ReleaseCredit", "ReserveCredit", "SettleCredit"])),
    ],
)
def test_a_fault_that_could_meet_nothing_is_noticed(fault: Fault, wrong: tuple[str, list[str]] | None) -> None:
    assert KNOWN.wrong(fault) == wrong


@pytest.mark.parametrize(
    ("process", "step", "may"),
    [("standard/1", "credit", True), ("standard/1", "capture", True), ("standard/1", "shipping", False),
     ("invoice/1", "shipping", True), ("invoice/1", "settle", False), ("unknown/1", "credit", False),
     (["standard/1"], "credit", False)],
)  # fmt: skip
def test_P1_a_step_may_be_refused_up_to_the_pivot_and_not_behind_it(process: object, step: str, may: bool) -> None:
    document = {"clerk": {"process": process}}
    command = Command("risk", "ReserveCredit", 1, "clk_1", step, 1, "do", document, None)
    assert KNOWN.may_refuse(command) is may
