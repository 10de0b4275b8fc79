"""Who is calling: each kind of credentials, what each opens, and that bad ones are all alike (security S1, S2)."""

from __future__ import annotations

import hashlib

import pytest

from doors.callers import NOBODY, Caller, has_role, may_act_on
from doors.tests.bench import Bench

MAY = {
    "server": {"server", "either", "staff"},
    "warehouse": {"warehouse", "either"},
    "viewer": {"staff", "viewer"},
    "operator": {"staff", "viewer", "operator"},
    "admin": {"staff", "viewer", "operator", "admin"},
    "customer": set[str](),
}
DOORS = ["server", "warehouse", "either", "staff", "viewer", "operator", "admin"]


def key_of(bench: Bench, who: str) -> str:
    if who == "customer":
        return "cs_secret"
    if who in ("server", "warehouse"):
        return bench.ring.create(who, who)  # type: ignore[arg-type]  # narrowed by the line above
    return bench.ring.create("operator", who, who)  # type: ignore[arg-type]  # the rest are roles


@pytest.mark.parametrize("who", MAY)
def test_each_door_opens_for_the_right_keys_only(bench: Bench, who: str) -> None:
    key = key_of(bench, who)
    answers = dict(zip(DOORS, bench.calls([("GET", f"/only/{door}", key, {}) for door in DOORS]), strict=True))
    assert {door for door, answer in answers.items() if answer.status_code == 200} == MAY[who]
    refused = [answer for answer in answers.values() if answer.status_code != 200]
    assert {(answer.status_code, answer.json()["code"]) for answer in refused} == {(403, "forbidden")}


@pytest.mark.parametrize("door", DOORS)
def test_without_credentials_a_closed_door_is_401(bench: Bench, door: str) -> None:
    answer = bench.call("GET", f"/only/{door}")
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
    assert answer.headers["www-authenticate"] == "Bearer"


def test_malformed_unknown_wrong_and_revoked_credentials_cannot_be_told_apart(bench: Bench) -> None:
    key, revoked = bench.ring.create("server", "a"), bench.ring.create("server", "b")
    bench.ring.revoke(revoked.split("_")[1])
    wrong = key[:-4] + "AAAA"
    unknown = "sk_abcdefghijkl_" + "x" * 43
    said = [f"Bearer {bad}" for bad in (revoked, wrong, unknown, "sk_", "cs_", "cs_ö", "hello", "cs_a b")]
    said += ["Basic YTpi", "Bearer", "Bearer ", "", "Bearer sk_x, Bearer sk_y"]
    bodies = set()
    for value in said:
        answer = bench.call("GET", "/me", headers={"Authorization": value.encode(), "Request-Id": "r"})
        assert answer.status_code == 401, value
        bodies.add(answer.text)
    assert len(bodies) == 1


def test_a_customer_is_known_by_the_hash_of_the_secret(bench: Bench) -> None:
    hashed = hashlib.sha256(b"cs_secret").hexdigest()
    who = bench.call("GET", "/me", "cs_secret").json()
    assert who == {"kind": "customer", "role": None, "name": None, "secret_sha256": hashed}
    assert bench.call("GET", "/me").json()["kind"] == "nobody"
    assert bench.call("GET", "/me", headers={"Authorization": "bearer cs_secret"}).json()["kind"] == "customer"


def test_a_customer_acts_on_the_own_session_only() -> None:
    mine, other = hashlib.sha256(b"cs_mine").hexdigest(), hashlib.sha256(b"cs_other").hexdigest()
    who = Caller("customer", secret_sha256=mine)
    assert may_act_on(who, mine)
    assert not may_act_on(who, other)
    assert not may_act_on(who, "")
    assert not may_act_on(NOBODY, "")
    assert not may_act_on(Caller("server", name="backend"), mine)
    assert not may_act_on(Caller("customer"), mine)


def test_a_caller_shows_no_secret() -> None:
    assert "ab12" not in repr(Caller("customer", secret_sha256="ab12"))


def test_roles_include_the_lower_ones() -> None:
    assert has_role(Caller("operator", "admin"), "viewer")
    assert not has_role(Caller("operator", "viewer"), "operator")
    assert not has_role(NOBODY, "viewer")
