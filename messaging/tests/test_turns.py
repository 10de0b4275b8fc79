"""The table of turns (messaging/turns.py): every cell, and that any order of messages has one effect (U3, M2)."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.messages import Reply
from domain.refusals import Refused
from messaging.tests.counting_service import ServiceHarness, command, turns
from messaging.turns import Done, Failing, HandlerResult, Turn


@pytest.fixture
def harness(tmp_path: Path) -> ServiceHarness:
    return ServiceHarness(tmp_path)


def outcomes(harness: ServiceHarness) -> list[str]:
    return [reply.outcome for reply in harness.replies()]


def test_a_do_runs_the_rule_once_and_answers_with_its_own_section_and_all_the_rest(harness: ServiceHarness) -> None:
    harness.deliver(command())
    harness.run()
    [reply] = harness.replies()
    assert reply.outcome == "done"
    assert reply.document["credit"] == {"status": "kept", "times": 1}
    assert reply.document["unknown"] == {"kept": ["as", "it", "is"]}


def test_M2_a_command_that_comes_again_gets_the_same_answer_and_has_one_effect(harness: ServiceHarness) -> None:
    for _ in range(3):
        harness.deliver(command(), command())
        harness.run()
    first, *others = harness.replies()
    assert len(others) == 5
    assert all(other.document == first.document and other.id == first.id for other in others)
    assert harness.kept() == {"clk_1": 1}


def test_O2_a_new_attempt_is_the_same_business_key(harness: ServiceHarness) -> None:
    harness.deliver(command(attempt=1), command(attempt=2))
    harness.run()
    assert [reply.attempt for reply in harness.replies()] == [1, 2]
    assert harness.kept() == {"clk_1": 1}


def test_a_refusal_is_remembered_and_repeated(harness: ServiceHarness) -> None:
    harness.deliver(command(told="refuse"))
    harness.run()
    harness.deliver(command())
    harness.run()
    assert outcomes(harness) == ["refused", "refused"]
    assert harness.kept() == {}


def test_U2_undoing_a_refused_step_is_answered_undone_with_nothing_to_undo(harness: ServiceHarness) -> None:
    harness.deliver(command(told="refuse"), command(direction="undo"))
    harness.run()
    assert sorted(outcomes(harness)) == ["refused", "undone"]


def test_U3_undo_before_do_leaves_a_tombstone_and_the_do_is_refused(harness: ServiceHarness) -> None:
    harness.deliver(command(direction="undo"))
    harness.run()
    harness.deliver(command())
    harness.run()
    undone, refused = harness.replies()
    assert (undone.outcome, refused.outcome) == ("undone", "refused")
    assert refused.refusal is not None
    assert refused.refusal.code == "called_off"
    assert harness.kept() == {}


def test_M6_a_waiting_turn_answers_nothing_and_is_acknowledged(harness: ServiceHarness) -> None:
    harness.deliver(command(told="wait"), command(told="wait"))
    harness.run()
    assert harness.replies() == []
    assert [row["state"] for row in harness.rows(turns)] == ["waiting"]
    harness.transport.close()
    assert harness.broker.depth("risk.commands.v1") == 0


def test_U5_an_undo_that_cannot_be_done_now_says_why_and_changes_nothing(harness: ServiceHarness) -> None:
    harness.deliver(command())
    harness.run()
    harness.deliver(command(direction="undo", told="cannot"))
    harness.run()
    harness.deliver(command(direction="undo", attempt=2))
    harness.run()
    assert [(reply.outcome, reply.attempt) for reply in harness.replies()] == [
        ("done", 1),
        ("refused", 1),
        ("undone", 2),
    ]
    assert harness.kept() == {"clk_1": 0}


def conclude(harness: ServiceHarness, result: HandlerResult, *clerks: str) -> list[Reply]:
    """What a person or the outer world has decided about these Clerks' turns, in one transaction."""
    dispatcher = harness.dispatcher
    with harness.database.begin() as tx:
        waiting = dispatcher.read(tx, {(clerk, "keeping") for clerk in clerks}).values()
        return dispatcher.conclude_waiting(tx, [(turn, result) for turn in waiting], tx.now())


def test_M6_turns_that_waited_are_concluded_together_each_with_its_reply(harness: ServiceHarness) -> None:
    harness.deliver(command("clk_1", told="wait"), command("clk_2", told="wait"), command("clk_3", told="wait"))
    harness.run()
    replies = conclude(harness, Done({"status": "kept"}), "clk_1", "clk_2")
    assert sorted((reply.clerk, reply.outcome) for reply in replies) == [("clk_1", "done"), ("clk_2", "done")]
    assert all(reply.document["credit"] == {"status": "kept"} for reply in replies)
    assert [(row["clerk"], row["state"], row["command"] is None) for row in harness.rows(turns)] == [
        ("clk_1", "done", True),
        ("clk_2", "done", True),
        ("clk_3", "waiting", False),
    ]


def test_M6_a_turn_that_has_been_concluded_is_not_concluded_again(harness: ServiceHarness) -> None:
    harness.deliver(command(told="wait"))
    harness.run()
    [refused] = conclude(harness, Refused("no", "a person said so"), "clk_1")
    assert (refused.outcome, refused.refusal) == ("refused", Refused("no", "a person said so"))
    before = harness.rows(turns)
    assert conclude(harness, Done({"status": "kept"}), "clk_1") == []
    assert harness.rows(turns) == before
    harness.deliver(command())
    harness.run()
    assert outcomes(harness) == ["refused"]


def test_U5_a_waiting_undo_that_fails_is_answered_and_can_be_asked_again(harness: ServiceHarness) -> None:
    harness.deliver(command())
    harness.run()
    harness.deliver(command(direction="undo", told="wait"))
    harness.run()
    [failing] = conclude(harness, Failing(Refused("cannot_now", "the provider is away")), "clk_1")
    assert (failing.outcome, failing.direction) == ("refused", "undo")
    assert [(row["state"], row["command"]) for row in harness.rows(turns)] == [("done", None)]
    harness.deliver(command(direction="undo", attempt=2))
    harness.run()
    assert outcomes(harness) == ["done", "undone"]


@pytest.mark.parametrize(("deadline", "over"), [(None, False), (1_001, False), (1_000, True), (999, True)])
def test_T2_a_turn_is_over_from_its_deadline_on(deadline: int | None, over: bool) -> None:
    assert Turn("clk_1", "keeping", "waiting", "Keep", 1, deadline=deadline).is_over(1_000) is over


@pytest.mark.parametrize("before", ["undone", "refused", "nothing"])
def test_an_undo_that_is_asked_anew_gives_back_what_is_there_whatever_the_turn_says(
    harness: ServiceHarness, before: str
) -> None:
    if before != "nothing":
        harness.deliver(command(told="refuse" if before == "refused" else None))
    if before == "undone":
        harness.deliver(command(direction="undo"))
    harness.run()
    harness.keep_untold("clk_1")
    harness.deliver(command(direction="undo"), command(direction="undo"))
    harness.run()
    assert harness.kept() == {"clk_1": 1}
    harness.deliver(command(direction="undo", attempt=2), command(direction="undo", attempt=2))
    harness.run()
    assert harness.kept() == {"clk_1": 0}
    harness.keep_untold("clk_1")
    harness.deliver(command(direction="undo", attempt=2))
    harness.run()
    assert harness.kept() == {"clk_1": 1}  # that attempt has been answered
    first = {"undone": ["done", "undone"], "refused": ["refused"], "nothing": []}[before]
    assert outcomes(harness) == [*first, *["undone"] * 5]


def test_D3_an_unknown_command_or_version_is_answered_unsupported_and_nothing_is_kept(harness: ServiceHarness) -> None:
    harness.deliver(command(version=2))
    harness.run()
    assert outcomes(harness) == ["unsupported"]
    assert harness.rows(turns) == []


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["do", "undo"]), st.integers(1, 3)), max_size=12))
def test_U3_and_M5_whatever_the_order_of_do_and_undo_the_effect_is_the_same(arrivals: list[tuple[str, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        harness = ServiceHarness(Path(folder))
        for direction, attempt in arrivals:
            harness.deliver(command(direction=direction, attempt=attempt))
            harness.run()
        expected = 0 if any(direction == "undo" for direction, _ in arrivals) or not arrivals else 1
        assert sum(harness.kept().values()) == expected
        assert len(harness.replies()) == len(arrivals)
        harness.database.close()


def reports(harness: ServiceHarness, *keys: dict[str, Any]) -> list[Reply]:
    """The service reports so on the turn of clk_1, one transaction each."""
    told: list[Reply] = []
    for each in keys:
        with harness.database.begin() as tx:
            now = tx.lock(["clk_1"])
            turn = harness.dispatcher.read(tx, [("clk_1", "keeping")])[("clk_1", "keeping")]
            told += harness.dispatcher.report(tx, [(turn, each)], now)
    return told


def concludes(harness: ServiceHarness, result: HandlerResult) -> Reply:
    with harness.database.begin() as tx:
        now = tx.lock(["clk_1"])
        turns = harness.dispatcher.read_waiting(tx, "clk_1")
        [reply] = harness.dispatcher.conclude_waiting(tx, [(turns[0], result)], now)
    return reply


def test_M9_a_turn_that_waits_is_reported_on_and_each_report_has_the_next_number(harness: ServiceHarness) -> None:
    harness.deliver(command(told="wait"))
    harness.run()
    first, second = reports(harness, {"status": "begun"}, {"share": 2}, {"share": 2})
    assert (first.id, second.id) == ("clk_1/keeping/1/do/report/1", "clk_1/keeping/1/do/report/2")
    assert first.document["credit"] == {"status": "begun"}
    assert second.document["credit"] == {"status": "begun", "share": 2}
    assert second.document["unknown"] == {"kept": ["as", "it", "is"]}


def test_M9_the_last_report_is_given_again_whenever_the_command_comes_again(harness: ServiceHarness) -> None:
    harness.deliver(command(told="wait"))
    harness.run()
    reports(harness, {"status": "begun"}, {"status": "half done"})
    harness.deliver(command(told="wait"), command(told="wait", attempt=2))
    harness.run()
    assert [(each.attempt, each.report) for each in harness.replies()] == [(1, 2), (2, 2)]
    assert {each.document["credit"]["status"] for each in harness.replies()} == {"half done"}
    assert concludes(harness, Done({"status": "kept"})).attempt == 2


def test_M9_nothing_of_what_was_reported_stays_when_the_turn_is_done(harness: ServiceHarness) -> None:
    harness.deliver(command(told="wait"))
    harness.run()
    reports(harness, {"status": "begun", "error": "none yet"})
    as_told = command(told="wait", credit={"status": "begun", "error": "none yet"})
    harness.deliver(as_told)
    harness.run()
    assert concludes(harness, Done({"status": "kept"})).document["credit"] == {"status": "kept"}
    harness.deliver(as_told)
    harness.run()
    assert harness.replies()[-1].document["credit"] == {"status": "kept"}


def test_M9_a_refusal_says_what_stands_in_the_place_of_what_was_reported(harness: ServiceHarness) -> None:
    harness.deliver(command(told="wait"))
    harness.run()
    reports(harness, {"status": "begun", "error": "none yet"})
    harness.deliver(command(told="wait", credit={"status": "begun", "error": "none yet"}))
    harness.run()
    refused = concludes(harness, Refused("no", "in the end"))
    assert (refused.outcome, refused.document["credit"]) == ("refused", {"status": "none"})


def test_M9_of_a_turn_that_does_not_wait_to_be_done_nothing_is_reported(harness: ServiceHarness) -> None:
    harness.deliver(command())
    harness.run()
    assert reports(harness, {"status": "begun"}) == []
    harness.deliver(command(direction="undo", told="wait"))
    harness.run()
    assert reports(harness, {"status": "begun"}) == []
