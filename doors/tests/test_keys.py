"""Access keys and operators: shown once, stored hashed, checked quickly, revocable (security S2)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import MetaData, select

from doors import keys as keys_module
from doors.keys import Holder, KeyRing, key_tables, new_key
from doors.operators import Operator, Operators
from doors.tests.bench import Bench
from messaging.database import Database


@pytest.fixture
def ring(bench: Bench) -> KeyRing:
    return bench.ring


def rows(ring: KeyRing) -> list[Any]:
    with ring.database.read() as tx:
        return list(tx.execute(select(ring.tables.keys)).all())


def test_the_tables_go_into_the_metadata_that_is_handed_in() -> None:
    metadata = MetaData()
    assert list(key_tables(metadata)._asdict().values()) == list(metadata.sorted_tables)


def test_a_key_opens_for_its_holder_only(ring: KeyRing) -> None:
    server, warehouse = ring.create("server", "backend"), ring.create("warehouse", "dock")
    operator = ring.create("operator", "ada", "viewer")
    assert [key[:3] for key in (server, warehouse, operator)] == ["sk_", "wk_", "op_"]
    assert ring.check(server) == Holder(server.split("_")[1], "server", "backend")
    assert ring.check(operator) == Holder(operator.split("_")[1], "operator", "ada", "viewer")
    assert ring.check("wk" + server[2:]) is None
    assert ring.check(server[:-1] + ("a" if server[-1] != "a" else "b")) is None


@pytest.mark.parametrize("bad", ["", "sk_", "sk_a_b", "xk_" + "a" * 12 + "_" + "b" * 43, "é", "sk_" + "a" * 10_000])
def test_what_is_no_key_opens_nothing(ring: KeyRing, bad: str) -> None:
    assert ring.check(bad) is None
    with pytest.raises(ValueError, match="no access key"):
        ring.put(bad, "x")


def test_only_a_hash_of_the_secret_is_stored(ring: KeyRing, tmp_path: Path) -> None:
    key = ring.create("server", "backend")
    assert rows(ring)[0].hash.startswith("$argon2id$")
    secret = key.split("_", 2)[2].encode()
    assert not any(secret in file.read_bytes() for file in tmp_path.iterdir())


def test_the_same_key_can_be_put_into_several_databases_and_again(ring: KeyRing, tmp_path: Path) -> None:
    other = KeyRing(Database(f"sqlite:///{tmp_path}/other.db"))
    other.tables.keys.metadata.create_all(other.database.engine)
    key = new_key("server")
    for each in (ring, ring, other):
        each.put(key, "clerk up")
        assert each.check(key) is not None
    before = rows(ring)
    ring.put(key, "another name")
    assert rows(ring) == before and len(before) == 1
    other.database.close()


def test_a_revoked_key_stays_revoked_when_it_is_put_again(ring: KeyRing) -> None:
    key = ring.create("server", "backend")
    ring.revoke(key.split("_")[1])
    ring.put(key, "backend")
    assert ring.check(key) is None


def test_two_keys_live_side_by_side_while_one_is_rotated(ring: KeyRing) -> None:
    old, new = ring.create("server", "backend"), ring.create("server", "backend")
    assert ring.check(old) and ring.check(new)
    assert ring.revoke(old.split("_")[1])
    assert ring.check(old) is None
    assert ring.check(new)
    assert not ring.revoke(old.split("_")[1])


def test_argon2_runs_once_a_minute_for_a_key(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    ring, runs, real = bench.ring, list[str](), keys_module._matches

    def counted(hashed: str, secret: str) -> bool:
        runs.append(hashed)
        return real(hashed, secret)

    monkeypatch.setattr(keys_module, "_matches", counted)
    key = ring.create("server", "backend")
    assert not ring.known(key)
    for _ in range(5):
        assert ring.check(key) and ring.known(key)
    bench.clock.now += 59
    assert ring.check(key) and len(runs) == 1
    bench.clock.now += 2
    assert not ring.known(key)
    assert ring.check(key) and len(runs) == 2


def test_a_revocation_by_another_process_is_seen_within_a_minute(bench: Bench) -> None:
    key = bench.ring.create("server", "backend")
    assert bench.ring.check(key)
    KeyRing(bench.ring.database).revoke(key.split("_")[1])
    bench.clock.now += 60
    assert bench.ring.check(key) is None


def test_a_wrong_key_is_not_remembered_and_the_memory_is_bounded(
    ring: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys_module, "_REMEMBERED", 2)
    first, *others = [ring.create("server", "backend") for _ in range(3)]
    for key in (first, *others, new_key("server")):
        ring.check(key)
    assert [ring.known(key) for key in (first, *others)] == [False, True, True]


def test_scopes_and_roles_are_from_closed_lists(ring: KeyRing) -> None:
    with pytest.raises(ValueError, match="allowed are server, warehouse, operator"):
        ring.create("root", "x")  # type: ignore[arg-type]  # a wrong scope is the point
    with pytest.raises(ValueError, match="allowed are viewer, operator, admin"):
        ring.create("operator", "x")
    with pytest.raises(ValueError, match="has none"):
        ring.create("server", "x", "admin")


def test_an_operator_gets_a_password_and_a_key_of_the_same_role(ring: KeyRing) -> None:
    people = Operators(ring)
    password, key = people.add_operator("ada", "admin")
    assert people.check_password("ada", password) == Operator("ada", "admin", key.split("_")[1])
    assert ring.check(key) == Holder(key.split("_")[1], "operator", "ada", "admin")
    assert people.check_password("ada", password + "x") is None
    assert people.check_password("bob", password) is None
    assert people.find("bob") is None


def test_adding_an_operator_again_replaces_role_password_and_key(ring: KeyRing) -> None:
    people = Operators(ring)
    password, key = people.add_operator("ada", "admin")
    people.add_operator("ada", "viewer")
    assert people.check_password("ada", password) is None
    assert ring.check(key) is None
    found = people.find("ada")
    assert found is not None and found.role == "viewer"


@pytest.mark.parametrize(("name", "role"), [("", "viewer"), ("a b", "viewer"), ("ada", "root")])
def test_an_operator_has_a_name_and_a_known_role(ring: KeyRing, name: str, role: Any) -> None:
    with pytest.raises(ValueError, match=r"operator name|allowed are viewer, operator, admin"):
        Operators(ring).add_operator(name, role)
    assert rows(ring) == []


def test_a_short_password_is_refused(ring: KeyRing) -> None:
    with pytest.raises(ValueError, match="12 characters"):
        Operators(ring).put_operator("ada", "admin", "short", new_key("operator"))
