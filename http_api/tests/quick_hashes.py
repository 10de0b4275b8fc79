"""Hashes of keys and passwords that take no time: with the real ones thousands of tests take minutes more.

A conftest imports the fixture. What the real ones are is held by tests/test_hashes.py.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher

from http_api import keys, operators


@pytest.fixture(scope="package", autouse=True)
def quick_hashes() -> Iterator[None]:
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    operators._nobodys_hash.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        for module in (keys, operators):
            patch.setattr(module, "_HASHER", quick)
        yield
    operators._nobodys_hash.cache_clear()
