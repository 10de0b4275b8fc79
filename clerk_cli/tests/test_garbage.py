"""What is put aside from the search for garbage, and for how long (docs/decisions/149)."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from clerk_cli.garbage import frozen_objects


@pytest.fixture
def nothing_put_aside() -> Iterator[None]:
    """As in a process that has just begun; afterwards what the tests have put aside is so again."""
    gc.unfreeze()
    yield
    gc.freeze()


@pytest.mark.usefixtures("nothing_put_aside")
def test_what_is_there_is_put_aside_while_the_block_runs() -> None:
    with frozen_objects():
        assert gc.get_freeze_count() > 0
    assert gc.get_freeze_count() == 0


@pytest.mark.usefixtures("nothing_put_aside")
def test_a_block_within_another_leaves_all_to_the_outer_one() -> None:
    with frozen_objects():
        with frozen_objects():
            pass
        assert gc.get_freeze_count() > 0
