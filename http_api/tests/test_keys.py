"""Access keys and operators: shown once, stored hashed, checked quickly, revocable (security S2)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import MetaData, select, update
from sqlalchemy.exc import OperationalError

from http_api import keys as keys_module
from http_api.keys import (
    LISTED,
    Holder,
    KeyRing,
    expiry,
    key_tables,
    new_key,
)
from http_api.operators import Operator, Operators
from http_api.tests.access_keys import add_key, revoke_key
from http_api.tests.harness import Clock, HttpHarness
from messaging.database import Database


@pytest.fixture
def ring(harness: HttpHarness) -> KeyRing:
    return harness.ring


def rows(ring: KeyRing) -> list[Any]:
    with ring.database.read() as tx:
        return list(tx.execute(select(ring.tables.keys)).all())


def test_the_tables_go_into_the_metadata_that_is_handed_in() -> None:
    metadata = MetaData()
    assert list(key_tables(metadata)._asdict().values()) == list(metadata.sorted_tables)


def test_a_key_opens_for_its_holder_only(ring: KeyRing) -> None:
    server, warehouse = add_key(ring, "server", "backend"), add_key(ring, "warehouse", "dock")
    operator = add_key(ring, "operator", "ada", "viewer")
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
    key = add_key(ring, "server", "backend")
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
    key = add_key(ring, "server", "backend")
    revoke_key(ring, key)
    ring.put(key, "backend")
    assert ring.check(key) is None


def test_two_keys_live_side_by_side_while_one_is_rotated(ring: KeyRing) -> None:
    old, new = add_key(ring, "server", "backend"), add_key(ring, "server", "backend")
    assert ring.check(old) and ring.check(new)
    assert revoke_key(ring, old)
    assert ring.check(old) is None
    assert ring.check(new)
    assert not revoke_key(ring, old)


@pytest.fixture
def argon2_runs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The hashes that a secret was checked against, one for each run."""
    runs, real = list[str](), keys_module._matches

    def counted(hashed: str, secret: str) -> bool:
        runs.append(hashed)
        return real(hashed, secret)

    monkeypatch.setattr(keys_module, "_matches", counted)
    return runs


def test_S2_argon2_runs_once_for_a_key_and_its_row_is_looked_at_every_five_seconds(
    harness: HttpHarness, argon2_runs: list[str]
) -> None:
    ring = harness.ring
    key = add_key(ring, "server", "backend")
    assert ring.check(key)
    looked = ring.database.statements
    harness.clock.now += 4.9
    assert ring.check(key) and ring.database.statements == looked
    for _ in range(20):
        harness.clock.now += 5
        assert ring.check(key) and ring.database.statements > looked
        looked = ring.database.statements
    assert len(argon2_runs) == 1


def test_argon2_runs_again_when_another_hash_is_stored(harness: HttpHarness, argon2_runs: list[str]) -> None:
    ring, keys = harness.ring, harness.ring.tables.keys
    key, other = add_key(ring, "server", "backend"), add_key(ring, "server", "other")
    assert ring.check(key)
    [another_hash] = [row.hash for row in rows(ring) if row.id == other.split("_")[1]]
    with ring.database.begin() as tx:
        tx.execute(update(keys).where(keys.c.id == key.split("_")[1]).values(hash=another_hash))
    assert ring.check_now(key) is None
    assert len(argon2_runs) == 2


def test_a_key_is_a_strangers_again_for_the_rate_limits_when_nobody_has_used_it_for_a_minute(
    harness: HttpHarness,
) -> None:
    ring = harness.ring
    key = add_key(ring, "server", "backend")
    assert not ring.known(key)
    assert ring.check(key) and ring.known(key)
    harness.clock.now += 59
    assert ring.known(key)
    harness.clock.now += 1
    assert not ring.known(key)


def test_S2_a_revocation_by_another_process_is_seen_within_ten_seconds(harness: HttpHarness) -> None:
    key = add_key(harness.ring, "server", "backend")
    assert harness.ring.check(key)
    revoke_key(KeyRing(harness.ring.database), key)
    assert harness.ring.check_now(key) is None
    harness.clock.now += 10
    assert harness.ring.check(key) is None and not harness.ring.known(key)


def test_S2_a_key_that_is_revoked_while_it_is_looked_up_is_not_remembered(
    ring: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, real = add_key(ring, "server", "backend"), keys_module._matches

    def revoked_meanwhile(hashed: str, secret: str) -> bool:
        revoke_key(ring, key)
        return real(hashed, secret)

    monkeypatch.setattr(keys_module, "_matches", revoked_meanwhile)
    ring.check(key)
    assert ring.check(key) is None


def test_S2_an_expired_key_opens_nothing_from_its_moment_on(tmp_path: Path) -> None:
    now = 1_800_000_000_000
    clock = Clock()
    database = Database(f"sqlite:///{tmp_path}/expiring.db", clock=lambda: now + round(clock.now * 1000) - 1_000_000)
    ring = KeyRing(database, clock=clock)
    ring.tables.keys.metadata.create_all(database.engine)
    key = new_key("server")
    ring.put(key, "backend", expires_at=now + 15_000)
    holder = ring.check(key)
    assert holder and holder.expires_at == now + 15_000
    clock.now += 14.9
    assert ring.check(key)
    clock.now += 0.1
    assert ring.check(key) is None and ring.check_now(key) is None
    database.close()


@pytest.mark.parametrize(
    ("wish", "moment"),
    [
        ({}, None),
        ({"in_days": 1}, 86_400_000),
        ({"in_days": 3650}, 3650 * 86_400_000),
        ({"at": "1970-01-01T00:00:00.001Z"}, 1),
        ({"at": "1970-01-02T01:00:00+01:00"}, 86_400_000),
    ],
)
def test_a_key_expires_after_days_or_at_a_moment(wish: dict[str, Any], moment: int | None) -> None:
    assert expiry(0, **wish) == moment


@pytest.mark.parametrize(
    "wish",
    [
        {"in_days": 0},
        {"in_days": -1},
        {"in_days": 3651},
        {"at": "1970-01-01T00:00:00Z"},
        {"at": "9999-12-31T23:59:59-23:59"},
        {"at": "1970-01-02T00:00:00"},
        {"at": "tomorrow"},
        {"at": ""},
        {"in_days": 1, "at": "1970-01-02T00:00:00Z"},
    ],
)
def test_a_key_expires_in_the_future_and_within_ten_years(wish: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"ten years|RFC 3339|not both"):
        expiry(0, **wish)


def last_use(ring: KeyRing) -> int | None:
    [row] = rows(ring)
    found: int | None = row.last_used_at
    return found


def test_the_last_use_is_written_at_most_once_a_minute(harness: HttpHarness) -> None:
    ring = harness.ring
    key = add_key(ring, "server", "backend")
    assert last_use(ring) is None
    assert ring.check(key)
    first, commits = last_use(ring), ring.database.commits
    assert first is not None
    for _ in range(5):
        harness.clock.now += 11
        assert ring.check(key)
    assert (last_use(ring), ring.database.commits) == (first, commits)
    harness.clock.now += 11
    assert ring.check(key) and ring.database.commits == commits + 1


def test_a_use_that_cannot_be_written_down_refuses_nobody(
    harness: HttpHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = add_key(harness.ring, "server", "backend")

    def no_writes() -> Any:
        raise OperationalError("UPDATE", {}, Exception("database is locked"))

    monkeypatch.setattr(harness.ring.database, "begin", no_writes)
    assert harness.ring.check(key)


def test_what_is_shown_of_a_key_is_not_the_key(ring: KeyRing) -> None:
    key = add_key(ring, "operator", "ada", "viewer")
    assert ring.check(key)
    with ring.database.read() as tx:
        [line] = ring.listed(tx, 10)
    assert {name: line[name] for name in ("id", "scope", "role", "name", "expires_at", "revoked_at")} == {
        "id": key.split("_")[1],
        "scope": "operator",
        "role": "viewer",
        "name": "ada",
        "expires_at": None,
        "revoked_at": None,
    }
    assert line["last_used_at"] >= line["created_at"]
    assert set(line) == set(LISTED)


def test_a_wrong_key_is_not_remembered_and_the_memory_is_bounded(
    ring: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys_module, "_REMEMBERED", 2)
    first, *others = [add_key(ring, "server", "backend") for _ in range(3)]
    for key in (first, *others, new_key("server")):
        ring.check(key)
    assert [ring.known(key) for key in (first, *others)] == [False, True, True]


def test_scopes_and_roles_are_from_closed_lists(ring: KeyRing) -> None:
    with pytest.raises(ValueError, match="allowed are server, warehouse, operator"):
        add_key(ring, "root", "x")  # type: ignore[arg-type]  # a wrong scope is the point
    with pytest.raises(ValueError, match="allowed are viewer, support, operator, admin"):
        add_key(ring, "operator", "x")
    with pytest.raises(ValueError, match="has none"):
        add_key(ring, "server", "x", "admin")


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
    with pytest.raises(ValueError, match=r"operator name|allowed are viewer, support, operator, admin"):
        Operators(ring).add_operator(name, role)
    assert rows(ring) == []


def test_a_short_password_is_refused(ring: KeyRing) -> None:
    with pytest.raises(ValueError, match="12 characters"):
        Operators(ring).put_operator("ada", "admin", "short", new_key("operator"))
