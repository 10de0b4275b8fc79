"""How all tests run: Python looks for garbage between files of tests, and not among what collecting the tests has made.

A million objects are there before the first test, and each one that puts an application together had them all looked
through: a fifth of the processor's time (docs/decisions/148).
"""

from __future__ import annotations

import gc

import pytest

from clerk_cli.garbage import collect_rarely


def pytest_configure() -> None:
    collect_rarely()


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Free what a file's tests have left: a worker grew to 1.5 GB, and what one forgot to close failed another file."""
    if nextitem is None or nextitem.path != item.path:
        gc.collect()
