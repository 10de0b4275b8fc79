"""Mutants patch what exists: a name that production code no longer has is an error at once."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from simulation.mutants import MUTANTS, Mutant
from simulation.mutants.mutant import replaced, replaced_items


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_what_a_mutant_patches_exists(mutant: Mutant) -> None:
    with mutant.patched():
        pass


def test_there_are_thirteen_mutants_with_names_of_their_own() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) == 13


def test_a_name_that_does_not_exist_is_not_patched() -> None:
    owner = SimpleNamespace(there=1)
    with pytest.raises(AttributeError, match="gone"), replaced(owner, there=2, gone=3):
        pass
    assert vars(owner) == {"there": 1}


def test_an_item_that_does_not_exist_is_not_patched() -> None:
    items = {"there": 1}
    with pytest.raises(KeyError, match="gone"), replaced_items(items, there=2, gone=3):
        pass
    assert items == {"there": 1}


def test_everything_is_as_before_afterwards() -> None:
    owner, items = SimpleNamespace(there=1), {"there": 1}
    with replaced(owner, there=2), replaced_items(items, there=2):
        assert (owner.there, items) == (2, {"there": 2})
    assert (owner.there, items) == (1, {"there": 1})
