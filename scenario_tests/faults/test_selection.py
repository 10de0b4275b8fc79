"""What a run plays: the same by the same seed, some of everything, and no longer than it may."""

from __future__ import annotations

from scenario_tests.faults.selection import SECONDS, Wanted, choose, wanted

COSTS = {f"{kind} {number}": 8.0 for kind in ("killed", "partition", "broker") for number in range(20)}
KINDS = {name: name.split()[0] for name in COSTS}


def test_the_same_seed_draws_the_same_tests_and_another_seed_others() -> None:
    first = choose(COSTS, KINDS, Wanted(1, SECONDS))
    assert choose(dict(reversed(COSTS.items())), KINDS, Wanted(1, SECONDS)) == first
    assert choose(COSTS, KINDS, Wanted(2, SECONDS)) != first


def test_each_kind_is_there_before_one_has_many_and_the_seconds_are_kept() -> None:
    for seed in range(50):
        chosen = choose(COSTS, KINDS, Wanted(seed, 30.0))
        assert {KINDS[name] for name in chosen} == set(KINDS.values())
        assert sum(COSTS[name] for name in chosen) <= 30.0


def test_all_is_all() -> None:
    assert choose(COSTS, KINDS, wanted({"CLERK_FAULTS": "all"})) == set(COSTS)


def test_a_run_can_be_played_again_by_what_it_prints() -> None:
    told = wanted({"CLERK_FAULTS_SECONDS": "40"})
    words = dict(word.split("=") for word in told.again.split() if word.startswith("CLERK_FAULTS"))
    assert wanted(words) == told
    assert str(told.seed) in str(told)
