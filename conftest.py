"""How all tests run: Python looks for garbage less often, and not among what collecting the tests has made.

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
