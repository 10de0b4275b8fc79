"""Who is calling: each kind of credentials, what each opens, and that bad ones are all alike (security S1, S2)."""

from __future__ import annotations

import hashlib

import pytest

from http_api.keys import KeysUnavailable, new_key
from http_api.principals import (
    NOBODY,
    Principal,
    has_role,
    may_act_on,
)
from http_api.tests.access_keys import add_key, revoke_key
from http_api.tests.harness import HttpHarness
from http_api.wrong_keys import WRONG

MAY = {
    "server": {"server", "either", "staff"},
    "warehouse": {"warehouse", "either"},
    "monitoring": set[str](),
    "viewer": {"staff", "viewer"},
    "operator": {"staff", "viewer", "operator"},
    "admin": {"staff", "viewer", "operator", "admin"},
    "customer": set[str](),
}
ROUTES = ["server", "warehouse", "either", "staff", "viewer", "operator", "admin"]


def key_of(harness: HttpHarness, who: str) -> str:
    if who == "customer":
        return "cs_secret"
    if who in ("server", "warehouse", "monitoring"):
        return add_key(harness.ring, who, who)  # type: ignore[arg-type]  # narrowed by the line above
    return add_key(harness.ring, "operator", who, who)  # type: ignore[arg-type]  # the rest are roles


@pytest.mark.parametrize("who", MAY)
def test_each_route_opens_for_the_right_keys_only(harness: HttpHarness, who: str) -> None:
    key = key_of(harness, who)
    answers = dict(zip(ROUTES, harness.calls([("GET", f"/only/{route}", key, {}) for route in ROUTES]), strict=True))
    assert {route for route, answer in answers.items() if answer.status_code == 200} == MAY[who]
    refused = [answer for answer in answers.values() if answer.status_code != 200]
    assert {(answer.status_code, answer.json()["code"]) for answer in refused} == {(403, "forbidden")}


@pytest.mark.parametrize("route", ROUTES)
def test_without_credentials_a_closed_route_is_401(harness: HttpHarness, route: str) -> None:
    answer = harness.call("GET", f"/only/{route}")
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
    assert answer.headers["www-authenticate"] == "Bearer"


def test_S1_a_401_says_what_is_wrong_with_the_credentials(harness: HttpHarness) -> None:
    key, revoked = add_key(harness.ring, "server", "a"), add_key(harness.ring, "server", "b")
    expired = new_key("server")
    harness.ring.put(expired, "c", expires_at=1)
    revoke_key(harness.ring, revoked)
    wrong = [each[:-4] + "AAAA" for each in (key, revoked, expired)]
    said = {
        "The access key was revoked": [f"Bearer {revoked}"],
        "The access key has expired": [f"Bearer {expired}"],
        "The access key is not known here": [f"Bearer {bad}" for bad in (*wrong, "sk_abcdefghijkl_" + "x" * 43)],
        "The token is malformed": ["Bearer sk_", "Bearer hello"],
        "The client secret is malformed": ["Bearer cs_", "Bearer cs_ö", "Bearer cs_a b"],
        "The `Authorization` header is malformed": ["Basic YTpi", "Bearer", "Bearer ", ""],
    }
    for begins, values in said.items():
        for value in values:
            answer = harness.call("GET", "/me", headers={"Authorization": value.encode()})
            assert (answer.status_code, answer.json()["param"]) == (401, "Authorization"), value
            assert answer.json()["detail"].startswith(begins), value


def test_S1_who_shows_nothing_or_the_wrong_key_hears_what_is_needed_and_what_came(harness: HttpHarness) -> None:
    nothing = harness.call("GET", "/only/server").json()["detail"]
    assert "send `Authorization: Bearer …` with a server key (`sk_…`)" in nothing
    key = add_key(harness.ring, "warehouse", "dock")
    other = harness.call("GET", "/only/server", key).json()["detail"]
    assert other == "This needs a server key (`sk_…`), but a warehouse key (`wk_…`) came."
    viewer = add_key(harness.ring, "operator", "eve", "viewer")
    assert harness.call("GET", "/only/admin", viewer).json()["detail"] == "This needs the role admin; yours is viewer."


def test_S1_a_monitoring_key_opens_figures_and_readiness_and_not_even_what_is_open_to_everybody_else(
    harness: HttpHarness,
) -> None:
    key = add_key(harness.ring, "monitoring", "prometheus")
    assert "checks" in harness.call("GET", "/health/ready", key).json()
    assert "orders_total 1.0" in harness.call("GET", "/metrics", key).text
    refused = harness.call("GET", "/me", key)
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert "opens `/metrics` and `/health/ready`, and nothing else" in refused.json()["detail"]
    assert harness.call("GET", "/only/server", key).json()["detail"].endswith("but a monitoring key (`mk_…`) came.")
    revoke_key(harness.ring, key)
    harness.ring.forget(key.split("_")[1])
    assert [harness.call("GET", path, key).status_code for path in ("/metrics", "/health/ready")] == [401, 401]


def test_S2_while_nobody_says_whether_a_key_is_good_it_is_503_and_customers_are_served(
    harness: HttpHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(_plain: str) -> None:
        raise KeysUnavailable("ShopManager cannot be asked")

    monkeypatch.setattr(harness.ring, "check", unavailable)
    answer = harness.call("GET", "/me", "sk_any")
    assert (answer.status_code, answer.json()["code"]) == (503, "service_unavailable")
    assert answer.headers["retry-after"] == "2" and "ShopManager" not in answer.text
    assert harness.call("GET", "/me", "cs_secret").status_code == 200


def test_a_principal_with_a_key_has_its_id_and_no_other_has_one(harness: HttpHarness) -> None:
    for scope in ("server", "warehouse"):
        key = add_key(harness.ring, scope, "the same name")
        assert harness.call("GET", "/me", key).json()["key_id"] == key.split("_")[1]
    assert harness.call("GET", "/me", "cs_secret").json()["key_id"] is None
    assert harness.call("GET", "/me").json()["key_id"] is None


def test_a_customer_is_known_by_the_hash_of_the_secret(harness: HttpHarness) -> None:
    hashed = hashlib.sha256(b"cs_secret").hexdigest()
    who = harness.call("GET", "/me", "cs_secret").json()
    assert who == {"kind": "customer", "role": None, "name": None, "secret_sha256": hashed, "key_id": None}
    assert harness.call("GET", "/me").json()["kind"] == "nobody"
    assert harness.call("GET", "/me", headers={"Authorization": "bearer cs_secret"}).json()["kind"] == "customer"


def test_an_access_key_is_known_by_its_id_for_several_may_have_one_name(harness: HttpHarness) -> None:
    keys = [add_key(harness.ring, "server", "backend") for _ in range(2)]
    found = [harness.call("GET", "/me", key).json() for key in keys]
    assert [(who["name"], who["key_id"]) for who in found] == [("backend", key.split("_")[1]) for key in keys]


def test_only_access_keys_prove_who_is_calling() -> None:
    assert NOBODY.is_unproven and Principal("customer").is_unproven
    assert not any(Principal(kind).is_unproven for kind in ("server", "warehouse", "operator", "monitoring"))


def test_a_customer_acts_on_the_own_session_only() -> None:
    mine, other = hashlib.sha256(b"cs_mine").hexdigest(), hashlib.sha256(b"cs_other").hexdigest()
    who = Principal("customer", secret_sha256=mine)
    assert may_act_on(who, mine)
    assert not may_act_on(who, other)
    assert not may_act_on(who, "")
    assert not may_act_on(NOBODY, "")
    assert not may_act_on(Principal("server", name="backend"), mine)
    assert not may_act_on(Principal("customer"), mine)


def test_a_principal_shows_no_secret() -> None:
    assert "ab12" not in repr(Principal("customer", secret_sha256="ab12"))


def test_roles_include_the_lower_ones() -> None:
    assert has_role(Principal("operator", "admin"), "viewer")
    assert not has_role(Principal("operator", "viewer"), "operator")
    assert not has_role(NOBODY, "viewer")


def test_S2_keys_that_open_nothing_are_rated_and_the_good_one_beside_them_is_not(harness: HttpHarness) -> None:
    good = add_key(harness.ring, "server", "backend")
    wrong = good[:-43] + "x" * 43
    assert harness.call("GET", "/metrics", good).status_code == 200
    said = [harness.call("GET", "/metrics", wrong).status_code for _ in range(int(WRONG.burst) + 1)]
    assert said == [401] * int(WRONG.burst) + [429]
    assert harness.call("GET", "/metrics", good).status_code == 200
    harness.clock.now += 1
    assert harness.call("GET", "/metrics", wrong).status_code == 401
    harness.address = "203.0.113.200"
    assert harness.call("GET", "/metrics", wrong).status_code == 401
