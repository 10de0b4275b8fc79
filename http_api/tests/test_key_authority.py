"""The question whose key this is: what ShopManager answers to whom, and how a service asks (S2, docs/decisions/054)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from http_api import key_authority
from http_api.confirmed_keys import CannotAnswer, ConfirmedKeys, NoAnswer
from http_api.key_authority import PATH, PAUSE, STRANGERS, ShopManagersKeys, key_router, read_holder
from http_api.keys import Holder, KeyRing, new_key
from http_api.operators import Operators
from http_api.routes import add_routes
from http_api.tests.access_keys import add_key, revoke_key
from http_api.tests.harness import Clock, HttpHarness
from messaging.database import Database


@pytest.fixture
def manager(harness: HttpHarness) -> HttpHarness:
    """ShopManager's route, called with the harness's `call`."""
    add_routes(harness.app, [key_router(harness.ring)])
    return harness


# --- what ShopManager answers ----------------------------------------------------------------------------------------


def test_a_key_is_told_whose_it_is(manager: HttpHarness) -> None:
    key = add_key(manager.ring, "operator", "ada", "viewer")
    answer = manager.call("GET", PATH, key)
    assert answer.status_code == 200
    assert answer.json() == {"id": key.split("_")[1], "scope": "operator", "role": "viewer", "name": "ada",
                             "expires_at": None, "password_change_required": False}  # fmt: skip


def test_S2_the_key_beside_a_first_password_opens_nothing_here_and_at_the_services(manager: HttpHarness) -> None:
    _, key = Operators(manager.ring).add_operator("nora", "admin", must_change=True)
    for path in ("/only/viewer", "/only/staff", "/only/server", "/me", "/health/ready", "/metrics"):
        refused = manager.call("GET", path, key)
        assert (refused.status_code, refused.json()["code"]) == (403, "password_change_required")
        assert "Log in on the dashboard and change the password" in refused.json()["detail"]
    told = manager.call("GET", PATH, key).json()
    assert told["password_change_required"] is True
    assert read_holder(told, key).must_change, "so the services refuse it too"
    del told["password_change_required"]
    assert not read_holder(told, key).must_change, "versions before do not say"


@pytest.mark.parametrize("value", [1, "true", None])
def test_an_answer_that_is_neither_true_nor_false_is_not_understood(manager: HttpHarness, value: object) -> None:
    key = add_key(manager.ring, "operator", "ada", "viewer")
    told = {**manager.call("GET", PATH, key).json(), "password_change_required": value}
    with pytest.raises(ValueError, match="neither true nor false"):
        read_holder(told, key)


def test_S2_the_answer_is_as_it_is_in_the_database_whatever_is_remembered(manager: HttpHarness) -> None:
    key = add_key(manager.ring, "server", "backend")
    assert manager.call("GET", PATH, key).status_code == 200
    revoke_key(KeyRing(manager.ring.database), key)
    assert manager.ring.check(key) is not None, "it is remembered"
    assert manager.call("GET", PATH, key).status_code == 401


@pytest.mark.parametrize(("key", "status"), [(None, 401), ("cs_secret", 403), ("cs_ö", 401), ("hello", 401)])
def test_who_has_no_key_is_told_nothing(manager: HttpHarness, key: str | None, status: int) -> None:
    headers = {} if key is None else {"Authorization": f"Bearer {key}".encode()}
    assert manager.call("GET", PATH, headers=headers).status_code == status


def test_the_question_has_threads_of_its_own(manager: HttpHarness) -> None:
    seen: list[str] = []
    real = manager.ring.check_now

    def noted(plain: str) -> Holder | None:
        seen.append(threading.current_thread().name)
        return real(plain)

    manager.ring.check_now = noted  # type: ignore[method-assign]
    assert manager.call("GET", PATH, add_key(manager.ring, "server", "backend")).status_code == 200
    assert seen[0].startswith("keys")


# --- how a service asks ----------------------------------------------------------------------------------------------

KEY = new_key("server")
HOLDER = {"id": KEY.split("_")[1], "scope": "server", "role": None, "name": "backend", "expires_at": None}
Answer = Callable[[httpx.Request], httpx.Response]


def asking(answer: Answer | Any, status: int = 200, clock: Clock | None = None) -> ShopManagersKeys:
    """A client whose ShopManager gives this answer, or this JSON."""
    handler = answer if callable(answer) else lambda _request: httpx.Response(status, json=answer)
    return ShopManagersKeys("http://manager.test:8470", transport=httpx.MockTransport(handler), clock=clock or Clock())


def test_the_question_carries_the_key_and_nothing_else() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json=HOLDER | {"expires_at": "1970-01-01T00:00:01Z"})

    holder = asking(answer).holder_of(KEY, proven=True)
    assert holder == Holder(KEY.split("_")[1], "server", "backend", None, 1000)
    assert str(asked[0].url) == "http://manager.test:8470/keys/current"
    assert asked[0].headers["authorization"] == f"Bearer {KEY}"


def test_a_refusal_is_an_answer() -> None:
    authority = asking({"code": "unauthorized"}, 401)
    assert authority.holder_of(KEY, proven=True) is None
    assert authority.health().detail == "ShopManager confirms them"


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ({"code": "database_unavailable"}, 503),
        ({"code": "too_many_requests"}, 429),
        ({"code": "internal"}, 500),
        ("no problem of ours", 401),
        ("no problem of ours", 404),
        ({}, 302),
        ([HOLDER], 200),
        ({}, 200),
        (HOLDER | {"id": "abcdefghijkl"}, 200),
        (HOLDER | {"scope": "warehouse"}, 200),
        (HOLDER | {"scope": ["server"]}, 200),
        (HOLDER | {"role": "admin"}, 200),
        (HOLDER | {"name": None}, 200),
        (HOLDER | {"expires_at": "soon"}, 200),
        (HOLDER | {"expires_at": 7}, 200),
    ],
)
def test_S2_what_is_no_answer_opens_nothing(answer: Any, status: int) -> None:
    authority = asking(answer, status)
    with pytest.raises(NoAnswer) as raised:
        authority.holder_of(KEY, proven=True)
    assert not isinstance(raised.value, CannotAnswer)
    assert KEY not in str(raised.value) and authority.health().ok
    assert authority.health().detail == str(raised.value)


def test_a_body_that_is_no_json_is_no_answer() -> None:
    with pytest.raises(NoAnswer):
        asking(lambda _request: httpx.Response(200, text="<html>")).holder_of(KEY, proven=True)


def test_a_shop_manager_without_the_route_is_too_old() -> None:
    with pytest.raises(CannotAnswer):
        asking({"code": "not_found"}, 404).holder_of(KEY, proven=True)


def test_after_a_failure_nobody_asks_for_a_second() -> None:
    clock, asked = Clock(), list[httpx.Request]()

    def away(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        raise httpx.ConnectError("refused")

    authority = asking(away, clock=clock)
    for _ in range(5):
        with pytest.raises(NoAnswer, match="ConnectError"):
            authority.holder_of(KEY, proven=True)
    assert len(asked) == 1
    clock.now += PAUSE
    with pytest.raises(NoAnswer):
        authority.holder_of(KEY, proven=True)
    assert len(asked) == 2


def test_keys_that_anybody_can_make_up_are_asked_about_only_so_often() -> None:
    clock = Clock()
    authority = asking({"code": "unauthorized"}, 401, clock)
    for _ in range(int(STRANGERS.burst)):
        assert authority.holder_of(new_key("server"), proven=False) is None
    with pytest.raises(NoAnswer, match="never seen"):
        authority.holder_of(new_key("server"), proven=False)
    assert authority.holder_of(KEY, proven=True) is None, "a key that is proven is asked about all the same"
    clock.now += 1
    assert authority.holder_of(new_key("server"), proven=False) is None


def test_few_requests_wait_for_a_shop_manager_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_authority, "PLACE_WITHIN", 0.05)
    inside, go_on = threading.Semaphore(0), threading.Event()

    def hangs(_request: httpx.Request) -> httpx.Response:
        inside.release()
        go_on.wait(10)
        return httpx.Response(200, json=HOLDER)

    authority = asking(hangs)
    waiting = [threading.Thread(target=authority.holder_of, args=[KEY], kwargs={"proven": True}) for _ in range(8)]
    for each in waiting:
        each.start()
    for _ in waiting:
        assert inside.acquire(timeout=10)
    with pytest.raises(NoAnswer, match="too many wait"):
        authority.holder_of(KEY, proven=True)
    go_on.set()
    for each in waiting:
        each.join(10)


# --- both together ---------------------------------------------------------------------------------------------------


class _Straight(httpx.BaseTransport):
    """To the harness's application, without a network."""

    def __init__(self, manager: HttpHarness) -> None:
        self._manager = manager

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        found = self._manager.call(request.method, request.url.path, headers=dict(request.headers))
        return httpx.Response(found.status_code, content=found.content)


def test_S2_a_service_takes_what_its_shop_manager_confirms(manager: HttpHarness, tmp_path: Path) -> None:
    own = KeyRing(Database(f"sqlite:///{tmp_path}/service.db"))
    own.tables.keys.metadata.create_all(own.database.engine)
    authority = ShopManagersKeys("http://manager.test", transport=_Straight(manager), clock=manager.clock)
    keys = ConfirmedKeys(own, authority, clock=manager.clock)
    key = add_key(manager.ring, "warehouse", "dock")
    assert keys.check(key) == Holder(key.split("_")[1], "warehouse", "dock")
    revoke_key(manager.ring, key)
    manager.clock.now += 10
    assert keys.check(key) is None
    own.database.close()
