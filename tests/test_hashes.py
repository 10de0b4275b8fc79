"""What it costs to try a password or a key that somebody has stolen the hash of."""

from __future__ import annotations

from argon2 import extract_parameters
from argon2.profiles import RFC_9106_LOW_MEMORY

from http_api import keys, operators


def test_S2_a_password_is_hashed_as_rfc_9106_advises() -> None:
    assert extract_parameters(operators.hash_of("a lamp on a table")) == RFC_9106_LOW_MEMORY
    assert extract_parameters(operators._nobodys_hash()) == RFC_9106_LOW_MEMORY


def test_S2_a_key_which_is_256_random_bits_is_hashed_more_cheaply() -> None:
    found = extract_parameters(keys._HASHER.hash("ok_abc"))
    assert (found.type, found.memory_cost, found.time_cost) == (RFC_9106_LOW_MEMORY.type, 8 * 1024, 1)
