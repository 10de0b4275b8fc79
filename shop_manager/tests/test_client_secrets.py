"""The master secret: made once and kept in the database, or given and then in no dump of it (security S1, S16)."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode
from pathlib import Path

import pytest
from sqlalchemy import select, update

from http_api.principals import NOBODY
from shop_manager.engine.tables import idempotency, master_secrets
from shop_manager.sessions.client_secrets import ClientSecrets
from shop_manager.sessions.idempotency import request_of
from shop_manager.settings import ShopManagerSettings
from shop_manager.tests.http_harness import SERVER, HttpHarness

GIVEN = secrets.token_hex(32)
KEY = {"Idempotency-Key": "3e0c3b7a-9a52-4c0d-8a56-1f9d6c1d2a11"}


@pytest.fixture
def harness(tmp_path: Path) -> HttpHarness:
    """A ShopManager without CLERK_SECRET."""
    return HttpHarness(tmp_path)


def kept(harness: HttpHarness) -> list[str]:
    """The master secrets in the database."""
    with harness.database.read() as tx:
        return [row.value for row in tx.execute(select(master_secrets))]


def restarted_with(harness: HttpHarness, secret: str) -> HttpHarness:
    """The same routes, with what another ShopManager with this CLERK_SECRET derives."""
    given = ClientSecrets(ShopManagerSettings(_env_file=None, secret=secret).secret, harness.database)
    given.prepare()
    harness.secrets._master = given._master
    return harness


def derived_from(master: str, clerk: str) -> str:
    """As anybody can who has the master secret that is kept in the database."""
    digest = hmac.new(bytes.fromhex(master), clerk.encode(), hashlib.sha256).digest()
    return "cs_" + urlsafe_b64encode(digest).rstrip(b"=").decode()


def test_without_a_secret_one_is_made_once_and_a_dump_opens_sessions(harness: HttpHarness) -> None:
    """What the docs say of a ShopManager without CLERK_SECRET."""
    session = harness.call("POST", "/shop/session", json={}).json()
    [master] = kept(harness)
    assert derived_from(master, session["id"]) == session["client_secret"]


def test_S16_with_a_secret_nothing_in_the_database_opens_a_session(tmp_path: Path) -> None:
    harness = HttpHarness(tmp_path, secret=GIVEN)
    session = harness.call("POST", "/shop/session", json={}, headers=KEY).json()
    assert kept(harness) == []
    dump = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    for secret in (GIVEN, session["client_secret"], KEY["Idempotency-Key"]):
        assert secret.encode() not in dump
    assert hashlib.sha256(session["client_secret"].encode()).hexdigest().encode() in dump


def test_S16_a_secret_that_is_given_later_takes_the_kept_one_out_of_every_file(
    harness: HttpHarness, tmp_path: Path
) -> None:
    harness.call("POST", "/shop/session", json={})
    [master] = kept(harness)
    assert master.encode() in b"".join(file.read_bytes() for file in tmp_path.iterdir())
    restarted_with(harness, GIVEN)
    assert kept(harness) == []
    assert master.encode() not in b"".join(file.read_bytes() for file in tmp_path.iterdir())


def test_S16_another_master_secret_leaves_sessions_as_they_are(harness: HttpHarness) -> None:
    before = harness.call("POST", "/shop/session", json={}).json()
    restarted_with(harness, GIVEN)
    after = harness.call("POST", "/shop/session", json={}).json()
    for session in (before, after):
        seen = harness.call("GET", f"/shop/session/{session['id']}", session["client_secret"])
        assert seen.status_code == 200


def test_S16_a_replay_never_shows_a_secret_that_does_not_fit(harness: HttpHarness) -> None:
    first = harness.call("POST", "/shop/session", SERVER, json={}, headers=KEY)
    assert harness.call("POST", "/shop/session", SERVER, json={}, headers=KEY).json() == first.json()
    restarted_with(harness, GIVEN)
    again = harness.call("POST", "/shop/session", SERVER, json={}, headers=KEY)
    assert (again.status_code, again.json()["code"]) == (409, "client_secret_gone")
    assert again.json()["retryable"] is False
    assert "cs_" not in again.text


# --- the Idempotency-Key of who has no access key ---------------------------------------------------------------------


def kept_keys(harness: HttpHarness) -> list[str]:
    with harness.database.read() as tx:
        return [row.key for row in tx.execute(select(idempotency))]


def test_S16_a_guests_idempotency_key_is_kept_as_a_hash_which_is_no_key_itself(harness: HttpHarness) -> None:
    """With the key alone, and the same body, one gets the client secret again."""
    first = harness.call("POST", "/shop/session", json={}, headers=KEY)
    assert harness.call("POST", "/shop/session", json={}, headers=KEY).json() == first.json()
    [key] = kept_keys(harness)
    assert key == "sha256:" + hashlib.sha256(KEY["Idempotency-Key"].encode()).hexdigest()
    stolen = harness.call("POST", "/shop/session", json={}, headers={"Idempotency-Key": key})
    assert (stolen.status_code, stolen.json()["code"]) == (422, "weak_idempotency_key")
    assert key not in request_of(NOBODY, "POST", "/shop/session", key, {}).keys
    bare = harness.call("POST", "/shop/session", json={}, headers={"Idempotency-Key": key.removeprefix("sha256:")})
    assert bare.json()["id"] != first.json()["id"]


def test_a_key_that_an_older_process_has_kept_is_found_again(harness: HttpHarness) -> None:
    first = harness.call("POST", "/shop/session", json={}, headers=KEY)
    with harness.database.begin() as tx:
        tx.execute(update(idempotency).values(key=KEY["Idempotency-Key"]))
    assert harness.call("POST", "/shop/session", json={}, headers=KEY).json() == first.json()


def test_the_key_of_who_has_an_access_key_is_kept_as_it_is(harness: HttpHarness) -> None:
    """Nobody can use it without the access key."""
    harness.call("POST", "/shop/session", SERVER, json={}, headers=KEY)
    assert kept_keys(harness) == [KEY["Idempotency-Key"]]
