"""Keys at the other services: none is taken that ShopManager has not confirmed lately (S2, docs/decisions/054)."""

from __future__ import annotations

from threading import Event, Thread

import pytest

from http_api.confirmed_keys import ASK_EVERY, LONGEST, CannotAnswer, ConfirmedKeys, NoAnswer
from http_api.keys import Holder, KeyFault, KeysUnavailable, new_key
from http_api.tests.access_keys import add_key, revoke_key
from http_api.tests.harness import HttpHarness

PROMISED = 30.0
"""Seconds within which a revoked key is refused everywhere."""


class ShopManager:
    """Answers as it is told; `asked` holds what it was asked, and whether the service had proven the key."""

    def __init__(self) -> None:
        self.good: dict[str, Holder] = {}
        self.trouble: NoAnswer | None = None
        self.asked: list[tuple[str, bool]] = []

    def knows(self, key: str, name: str = "backend") -> None:
        self.good[key] = Holder(key.split("_")[1], "server", name)

    def holder_of(self, plain: str, *, proven: bool) -> Holder | None:
        self.asked.append((plain, proven))
        if self.trouble:
            raise self.trouble
        return self.good.get(plain)

    def fault_of(self, plain: str) -> KeyFault:
        return "revoked"


class Service:
    """A service with a database of its own; its clock is the harness's."""

    def __init__(self, harness: HttpHarness) -> None:
        self.harness = harness
        self.manager = ShopManager()
        self.started()

    def started(self) -> None:
        """Anew: nothing is remembered."""
        self.keys = ConfirmedKeys(self.harness.ring, self.manager, clock=self.harness.clock)

    def key(self) -> str:
        """A live key, known here and to ShopManager."""
        key = add_key(self.harness.ring, "server", "backend")
        self.manager.knows(key)
        return key

    def opens(self, key: str) -> bool:
        return self.keys.check(key) is not None

    def later(self, seconds: float) -> None:
        self.harness.clock.now += seconds


@pytest.fixture
def service(harness: HttpHarness) -> Service:
    return Service(harness)


def test_S2_a_key_that_is_revoked_at_shop_manager_is_refused_by_a_service_in_time(service: Service) -> None:
    key = service.key()
    assert service.opens(key)
    del service.manager.good[key]
    service.later(ASK_EVERY)
    assert ASK_EVERY < PROMISED and not service.opens(key)


def test_S2_a_service_that_was_down_refuses_a_key_that_was_revoked_meanwhile_at_once(service: Service) -> None:
    key = service.key()
    del service.manager.good[key]
    service.started()
    assert not service.opens(key)


def test_S2_a_key_counts_for_a_while_without_shop_manager_and_never_as_long_as_is_promised(service: Service) -> None:
    key = service.key()
    assert service.opens(key)
    service.manager.trouble = NoAnswer("away")
    service.later(LONGEST - 0.1)
    assert service.opens(key) and service.keys.known(key)
    service.later(0.1)
    assert LONGEST < PROMISED and not service.keys.known(key)
    with pytest.raises(KeysUnavailable, match="away"):
        service.opens(key)
    service.manager.trouble = None
    assert service.opens(key)


def test_S2_a_key_that_was_refused_stays_refused_without_shop_manager(service: Service) -> None:
    key = service.key()
    del service.manager.good[key]
    assert not service.opens(key)
    service.manager.trouble = NoAnswer("away")
    service.later(10 * LONGEST)
    assert not service.opens(key)


def test_S2_without_shop_manager_a_service_that_has_just_started_takes_no_key(service: Service) -> None:
    key = service.key()
    service.manager.trouble = NoAnswer("away")
    service.started()
    with pytest.raises(KeysUnavailable):
        service.opens(key)


def test_what_is_no_key_or_has_a_wrong_secret_is_refused_without_asking(service: Service) -> None:
    key = service.key()
    for wrong in ("", "hello", "sk_", key[:-4] + ("AAAA" if key[-4:] != "AAAA" else "BBBB")):
        assert not service.opens(wrong)
    assert service.manager.asked == []


def test_S2_a_key_that_is_revoked_in_the_services_own_database_is_refused_without_asking(service: Service) -> None:
    key = service.key()
    assert service.opens(key)
    revoke_key(service.harness.ring, key)
    service.later(ASK_EVERY)
    service.manager.trouble = NoAnswer("away")
    assert not service.opens(key) and len(service.manager.asked) == 1


def test_shop_manager_is_asked_once_in_ten_seconds_for_a_key(service: Service) -> None:
    key = service.key()
    for _ in range(100):
        assert service.opens(key)
    assert service.manager.asked == [(key, True)]
    service.later(ASK_EVERY)
    assert service.opens(key) and len(service.manager.asked) == 2


def test_S2_a_new_key_that_shop_manager_made_opens_at_once(service: Service) -> None:
    key = new_key("server")
    service.manager.knows(key, "made on the dashboard")
    assert service.keys.check(key) == Holder(key.split("_")[1], "server", "made on the dashboard")
    assert service.manager.asked == [(key, False)]
    service.later(ASK_EVERY)
    assert service.opens(key) and service.manager.asked[1] == (key, True)


def test_what_nobody_knows_is_refused_and_not_remembered(service: Service) -> None:
    key = new_key("server")
    assert not service.opens(key) and not service.opens(key)
    assert service.manager.asked == [(key, False)] * 2
    assert service.keys._answers == {}


def test_a_revoked_key_that_is_tried_again_and_again_is_not_asked_about_each_time(service: Service) -> None:
    key = service.key()
    del service.manager.good[key]
    for _ in range(100):
        assert not service.opens(key) and not service.keys.known(key)
    assert len(service.manager.asked) == 1


def test_an_older_shop_manager_that_cannot_be_asked_leaves_it_to_the_services_own_database(service: Service) -> None:
    key = service.key()
    service.manager.trouble = CannotAnswer("too old")
    assert service.opens(key)
    assert not service.opens(new_key("server"))


def test_one_question_that_hangs_does_not_hold_up_the_other_requests_with_that_key(service: Service) -> None:
    key, asked, answers = service.key(), Event(), Event()
    assert service.opens(key)
    service.later(ASK_EVERY)

    def hangs(plain: str, *, proven: bool) -> Holder | None:
        asked.set()
        answers.wait(10)
        raise NoAnswer("away")

    service.manager.holder_of = hangs  # type: ignore[method-assign]
    hanging = Thread(target=service.opens, args=[key])
    hanging.start()
    assert asked.wait(10)
    assert service.opens(key) and hanging.is_alive()
    answers.set()
    hanging.join(10)


def test_the_memory_is_bounded(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("http_api.confirmed_keys._REMEMBERED", 2)
    first, *others = (service.key() for _ in range(3))
    for key in (first, *others):
        assert service.opens(key)
    assert [service.keys.known(key) for key in (first, *others)] == [False, True, True]
