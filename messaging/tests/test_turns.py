"""The table of turns (architecture.md): every cell, and that any order of messages has one effect (U3, M2)."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from messaging.tests.workshop import Workshop, command, turns


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path)


def outcomes(workshop: Workshop) -> list[str]:
    return [reply.outcome for reply in workshop.replies()]


def test_a_do_runs_the_rule_once_and_answers_with_its_own_section_and_all_the_rest(workshop: Workshop) -> None:
    workshop.arrives(command())
    workshop.works()
    [reply] = workshop.replies()
    assert reply.outcome == "done"
    assert reply.document["credit"] == {"status": "kept", "times": 1}
    assert reply.document["unknown"] == {"kept": ["as", "it", "is"]}


def test_M2_a_command_that_comes_again_gets_the_same_answer_and_has_one_effect(workshop: Workshop) -> None:
    for _ in range(3):
        workshop.arrives(command(), command())
        workshop.works()
    first, *others = workshop.replies()
    assert len(others) == 5
    assert all(other.document == first.document and other.id == first.id for other in others)
    assert workshop.kept() == {"clk_1": 1}


def test_O2_a_new_attempt_is_the_same_business_key(workshop: Workshop) -> None:
    workshop.arrives(command(attempt=1), command(attempt=2))
    workshop.works()
    assert [reply.attempt for reply in workshop.replies()] == [1, 2]
    assert workshop.kept() == {"clk_1": 1}


def test_a_refusal_is_remembered_and_repeated(workshop: Workshop) -> None:
    workshop.arrives(command(wish="refuse"))
    workshop.works()
    workshop.arrives(command())
    workshop.works()
    assert outcomes(workshop) == ["refused", "refused"]
    assert workshop.kept() == {}


def test_U2_undoing_a_refused_step_is_answered_undone_with_nothing_to_undo(workshop: Workshop) -> None:
    workshop.arrives(command(wish="refuse"), command(direction="undo"))
    workshop.works()
    assert sorted(outcomes(workshop)) == ["refused", "undone"]


def test_U3_undo_before_do_leaves_a_tombstone_and_the_do_is_refused(workshop: Workshop) -> None:
    workshop.arrives(command(direction="undo"))
    workshop.works()
    workshop.arrives(command())
    workshop.works()
    undone, refused = workshop.replies()
    assert (undone.outcome, refused.outcome) == ("undone", "refused")
    assert refused.refusal is not None
    assert refused.refusal.code == "called_off"
    assert workshop.kept() == {}


def test_M6_a_waiting_turn_answers_nothing_and_is_acknowledged(workshop: Workshop) -> None:
    workshop.arrives(command(wish="wait"), command(wish="wait"))
    workshop.works()
    assert workshop.replies() == []
    assert [row["state"] for row in workshop.rows(turns)] == ["waiting"]
    workshop.link.close()
    assert workshop.broker.depth("risk.commands.v1") == 0


def test_U5_an_undo_that_cannot_be_done_now_says_why_and_changes_nothing(workshop: Workshop) -> None:
    workshop.arrives(command())
    workshop.works()
    workshop.arrives(command(direction="undo", wish="cannot"))
    workshop.works()
    workshop.arrives(command(direction="undo", attempt=2))
    workshop.works()
    assert [(reply.outcome, reply.attempt) for reply in workshop.replies()] == [
        ("done", 1),
        ("refused", 1),
        ("undone", 2),
    ]
    assert workshop.kept() == {"clk_1": 0}


@pytest.mark.parametrize("before", ["undone", "refused", "nothing"])
def test_an_undo_that_is_asked_anew_gives_back_what_is_there_whatever_the_turn_says(
    workshop: Workshop, before: str
) -> None:
    if before != "nothing":
        workshop.arrives(command(wish="refuse" if before == "refused" else None))
    if before == "undone":
        workshop.arrives(command(direction="undo"))
    workshop.works()
    workshop.leaks("clk_1")
    workshop.arrives(command(direction="undo"), command(direction="undo"))
    workshop.works()
    assert workshop.kept() == {"clk_1": 1}
    workshop.arrives(command(direction="undo", attempt=2), command(direction="undo", attempt=2))
    workshop.works()
    assert workshop.kept() == {"clk_1": 0}
    workshop.leaks("clk_1")
    workshop.arrives(command(direction="undo", attempt=2))
    workshop.works()
    assert workshop.kept() == {"clk_1": 1}  # that attempt has been answered
    assert set(outcomes(workshop)) <= {"done", "refused", "undone"}


def test_D3_an_unknown_command_or_version_is_answered_unsupported_and_nothing_is_kept(workshop: Workshop) -> None:
    workshop.arrives(command(version=2))
    workshop.works()
    assert outcomes(workshop) == ["unsupported"]
    assert workshop.rows(turns) == []


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["do", "undo"]), st.integers(1, 3)), max_size=12))
def test_U3_and_M5_whatever_the_order_of_do_and_undo_the_effect_is_the_same(arrivals: list[tuple[str, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        workshop = Workshop(Path(folder))
        for direction, attempt in arrivals:
            workshop.arrives(command(direction=direction, attempt=attempt))
            workshop.works()
        expected = 0 if any(direction == "undo" for direction, _ in arrivals) or not arrivals else 1
        assert sum(workshop.kept().values()) == expected
        assert len(workshop.replies()) == len(arrivals)
        workshop.database.close()
