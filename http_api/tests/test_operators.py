"""Operators: one name however it is written, the same work for whoever tries, a first password that must go (S2)."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import update

from http_api import operators as operators_module
from http_api.keys import KeyRing, new_key
from http_api.operators import DISABLED, Operators, hash_of
from http_api.tests.harness import HttpHarness

WRITTEN = ["nora", "Nora", "NORA", " nora ", "no\u200bra", "nora\ufeff", "ｎｏｒａ"]


@pytest.fixture
def people(harness: HttpHarness) -> Operators:
    return Operators(harness.ring)


@pytest.mark.parametrize("written", WRITTEN)
def test_S2_a_name_is_found_however_it_is_written_and_shown_as_it_was_given(people: Operators, written: str) -> None:
    password, _ = people.add_operator("Nora", "viewer")
    found = people.check_password(written, password)
    assert found is not None and found.name == "Nora"
    assert people.find(written) == found


@pytest.mark.parametrize("again", ["nora", "NORA", "nOrA"])
def test_S2_no_two_people_have_names_that_count_as_one(people: Operators, again: str) -> None:
    password, key = people.add_operator("Nora", "viewer")
    for add in (
        lambda: people.add_operator(again, "admin"),
        lambda: people.put_operator(again, "admin", "x" * 12, new_key("operator")),
    ):
        with pytest.raises(ValueError, match="there is 'Nora' already, which counts as the same name"):
            add()
    assert people.check_password("Nora", password) and people.ring.check(key)


@pytest.mark.parametrize("name", ["oidc:4711", "OIDC:x"])
def test_S2_nobody_here_is_called_like_somebody_of_a_provider(people: Operators, name: str) -> None:
    with pytest.raises(ValueError, match="oidc: begins the names of people known to a provider"):
        people.add_operator(name, "viewer")


def test_names_of_older_versions_that_count_as_one_are_each_found_as_they_are_written(people: Operators) -> None:
    first, _ = people.add_operator("nora", "viewer")
    people.add_operator("x", "admin")
    with people.ring.database.begin() as tx:
        tx.execute(update(people.ring.tables.operators).where(_name(people) == "x").values(name="Nora"))
        tx.execute(update(people.ring.tables.operators).where(_name(people) == "nora").values(created_at=1))
    assert {name: found.role for name in ("nora", "Nora", "NORA") if (found := people.find(name))} == {
        "nora": "viewer", "Nora": "admin", "NORA": "viewer",
    }  # fmt: skip
    assert people.check_password("NORA", first)


def _name(people: Operators) -> Any:
    return people.ring.tables.operators.c.name


class CountingHasher:
    """The real one, and the parameters of every hash that something was compared with."""

    def __init__(self, real: Any) -> None:
        self._real = real
        self.work: list[str] = []

    def verify(self, hashed: str, password: str) -> bool:
        self.work.append(hashed.rpartition("$")[0].rpartition("$")[0])
        return bool(self._real.verify(hashed, password))

    def hash(self, password: str) -> str:
        return str(self._real.hash(password))


def test_S2_unknown_disabled_and_wrong_take_the_same_work(people: Operators, monkeypatch: pytest.MonkeyPatch) -> None:
    password, _ = people.add_operator("nora", "viewer")
    people.add_operator("gone", "viewer")
    with people.ring.database.begin() as tx:
        gone = people.find_within(tx, "gone")
        assert gone is not None
        people.disable_within(tx, gone)
    hasher = CountingHasher(operators_module._HASHER)
    monkeypatch.setattr(operators_module, "_HASHER", hasher)
    work, statements = [], []
    tries = [("nora", "wrong"), ("NORA", "wrong"), ("nobody", "wrong"), ("gone", password), ("gone", DISABLED)]
    for name, given in (*tries, ("gone", ""), ("", ""), ("nora", password)):
        before = people.ring.database.statements
        assert (people.check_password(name, given) is not None) == (given == password and name == "nora")
        work.append(tuple(hasher.work))
        statements.append(people.ring.database.statements - before)
        hasher.work.clear()
    assert len(set(work)) == 1 and len(work[0]) == 1, "one argon2 each, with the same parameters"
    assert work[0][0].startswith("$argon2id$")
    assert len(set(statements)) == 1


def test_S2_a_first_password_must_be_changed_and_ones_own_must_not(people: Operators) -> None:
    password, _ = people.add_operator("nora", "viewer", must_change=True)
    found = people.check_password("nora", password)
    assert found is not None and found.must_change
    with people.ring.database.begin() as tx:
        people.change_password_within(tx, "nora", hash_of("a lamp on a table"))
    found = people.check_password("NORA", "a lamp on a table")
    assert found is not None and not found.must_change and people.check_password("nora", password) is None
    people.add_operator("nora", "viewer", must_change=True)
    again = people.find("nora")
    assert again is not None and again.must_change


def test_S2_the_key_beside_a_first_password_is_marked_until_the_password_is_changed(people: Operators) -> None:
    _, key = people.add_operator("nora", "viewer", must_change=True)
    ring = KeyRing(people.ring.database, people=True)
    holder = ring.check(key)
    assert holder is not None and holder.must_change
    with people.ring.database.begin() as tx:
        people.change_password_within(tx, "nora", hash_of("a lamp on a table"))
    ring.forget(holder.key_id)
    holder = ring.check(key)
    assert holder is not None and not holder.must_change


def test_what_a_program_logs_in_with_stays(people: Operators) -> None:
    people.put_operator("admin", "admin", "from-credentials-json", new_key("operator"))
    found = people.find("admin")
    assert found is not None and not found.must_change


def test_the_ring_is_told_which_key_was_revoked(people: Operators) -> None:
    _, key = people.add_operator("nora", "viewer")
    ring: KeyRing = people.ring
    assert ring.check(key)
    people.add_operator("nora", "viewer", must_change=True)
    assert ring.check(key) is None
