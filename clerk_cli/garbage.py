"""How often Python looks for cycles among its objects: seldom, for nearly all that an order makes goes without it."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_RARELY = (50_000, 20, 100)
"""So many objects more than were freed, so many looks at the young ones, so many at those that outlived one."""


def collect_rarely() -> None:
    """For the rest of the process's life."""
    gc.set_threshold(*_RARELY)


@contextmanager
def frozen_objects() -> Iterator[None]:
    """What is loaded and built by now is not looked through again while the block runs, for it stays (decision 149).

    A process that has put its objects aside before, as that of the tests has, keeps it as it is.
    """
    if gc.get_freeze_count():
        yield
        return
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
