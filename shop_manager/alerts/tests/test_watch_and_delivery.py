"""What is found is told once, whoever looks and whatever dies: through the outbox, in order, and later again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import Barrier, Thread
from typing import Any

import pytest
from sqlalchemy import select, update

from domain.times import days, hours, minutes, seconds
from messaging.database import Database
from shop_manager.alerts import outbox
from shop_manager.alerts.delivery import Delivery, NotDelivered
from shop_manager.alerts.figures import outcome_counter
from shop_manager.alerts.options import AlertOptions, WebhookOptions
from shop_manager.alerts.rules import AlertRules
from shop_manager.alerts.watch import Watch
from shop_manager.engine.tables import clerks
from shop_manager.tests.conftest import harness
from shop_manager.tests.http_harness import HttpHarness
from shop_manager.tests.test_operations_api import stuck_one

__all__ = ["harness"]
RULES = AlertRules(wait=seconds(60), quiet=minutes(15), growth=2)


class Receiver:
    """A channel that keeps what comes while it is `up`."""

    name = "webhook"

    def __init__(self) -> None:
        self.up = True
        self.received: list[Mapping[str, Any]] = []
        self.tried = 0
        self.instead: Callable[[], None] = lambda: None

    def send(self, alert: Mapping[str, Any], now: int) -> str:
        self.tried += 1
        if not self.up:
            raise NotDelivered("it answered 503")
        self.received.append(alert)
        self.instead()
        return ""

    @property
    def told(self) -> list[str]:
        return [each["what"] for each in self.received]


class Manager:
    """One of the ShopManagers on this database."""

    def __init__(self, harness: HttpHarness, receiver: Receiver) -> None:
        self.counter = outcome_counter(["webhook"])
        options = AlertOptions(RULES, webhook=WebhookOptions("https://hook.test"))
        self.watch = Watch(harness.database, harness.manager.processes, options)
        self.delivery = Delivery(harness.database, receiver, self.counter)

    def works(self) -> None:
        self.watch.look()
        while self.delivery.deliver_one():
            pass

    def counted(self, outcome: str) -> float:
        return float(self.counter.labels("webhook", outcome)._value.get())


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def manager(harness: HttpHarness, receiver: Receiver) -> Manager:
    return Manager(harness, receiver)


def is_told_of_one(harness: HttpHarness, *managers: Manager) -> str:
    """A Clerk that is stuck, and has been for the wait."""
    clerk = stuck_one(harness)
    for manager in managers:
        manager.works()
    harness.now += seconds(60)
    for manager in managers:
        manager.works()
    return clerk


def heal(harness: HttpHarness) -> None:
    with harness.database.begin() as tx:
        tx.execute(update(clerks).values(stuck_kind=None, stuck_code=None, stuck_since=None))


def heals(harness: HttpHarness, *managers: Manager) -> None:
    heal(harness)
    for manager in managers:
        manager.works()
    harness.now += seconds(60)
    for manager in managers:
        manager.works()


def rows(database: Database) -> list[Any]:
    with database.read() as tx:
        return list(tx.execute(select(outbox.table).order_by(outbox.table.c.number)))


def test_what_is_told_agrees_with_the_home_page(harness: HttpHarness, receiver: Receiver, manager: Manager) -> None:
    is_told_of_one(harness, manager)
    [cause] = harness.get("/ops/summary", "op_night").json()["stuck"]["causes"]
    [alert] = receiver.received
    assert alert["what"] == "stuck"
    assert alert["cause"] == {name: cause[name] for name in ("process", "step", "kind", "code", "service")}
    for name in (
        "count",
        "money_at_risk",
        "money_to_settle",
        "oldest_since",
        "oldest_seconds",
        "means",
        "move",
        "runbook",
    ):
        assert alert[name] == cause[name]
    assert manager.counted("delivered") == 1


def test_a_cause_is_told_once_and_once_that_it_is_over(
    harness: HttpHarness, receiver: Receiver, manager: Manager
) -> None:
    is_told_of_one(harness, manager)
    harness.now += hours(1)
    manager.works()
    assert receiver.told == ["stuck"]
    heals(harness, manager)
    manager.works()
    assert receiver.told == ["stuck", "over"]


def test_two_shop_managers_tell_once_and_a_new_one_tells_nothing_anew(
    harness: HttpHarness, receiver: Receiver, manager: Manager
) -> None:
    other = Manager(harness, receiver)
    is_told_of_one(harness, manager, other)
    harness.now += minutes(5)
    Manager(harness, receiver).works()
    assert receiver.told == ["stuck"]
    heals(harness, other, manager)
    Manager(harness, receiver).works()
    assert receiver.told == ["stuck", "over"]


def test_two_who_look_and_deliver_in_the_same_moment_tell_once(harness: HttpHarness, receiver: Receiver) -> None:
    stuck_one(harness)
    managers = [Manager(harness, receiver) for _ in range(4)]
    managers[0].works()
    harness.now += seconds(60)
    together = Barrier(len(managers))

    def work(manager: Manager) -> None:
        together.wait(30)
        manager.works()

    threads = [Thread(target=work, args=(manager,)) for manager in managers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert receiver.told == ["stuck"]
    assert len(rows(harness.database)) == 1


def test_what_a_receiver_that_is_down_has_missed_comes_later_and_in_order(
    harness: HttpHarness, receiver: Receiver, manager: Manager
) -> None:
    receiver.up = False
    is_told_of_one(harness, manager)
    for _ in range(6):
        harness.now += minutes(10)
        manager.works()
    heals(harness, manager)
    assert receiver.received == []
    receiver.up = True
    manager.works()
    assert receiver.received == [], "the pause after the last try is not over"
    harness.now += minutes(10)
    manager.works()
    assert receiver.told == ["stuck", "over"]
    assert receiver.received[0]["episode"] == receiver.received[1]["episode"] == receiver.received[0]["id"]


def test_it_is_tried_ever_more_slowly_and_given_up_after_a_day(
    harness: HttpHarness, receiver: Receiver, manager: Manager
) -> None:
    receiver.up = False
    is_told_of_one(harness, manager)
    assert [outbox.pause(tries) for tries in (1, 2, 3, 7, 8, 200)] == [
        seconds(5), seconds(10), seconds(20), seconds(320), minutes(10), minutes(10)
    ]  # fmt: skip
    manager.works()
    assert receiver.tried == 1
    harness.now += seconds(5)
    manager.works()
    assert receiver.tried == 2
    for _ in range(200):
        harness.now += minutes(10)
        manager.works()
    [row] = rows(harness.database)
    assert (row.state, row.trouble, row.next_at) == ("given_up", "it answered 503", None)
    assert manager.counted("given_up") == 1 and manager.counted("failed") == row.tries - 1
    assert row.done_at - row.at >= days(1)


def test_one_channel_that_works_again_gets_all_that_waits_at_once(
    harness: HttpHarness, receiver: Receiver, manager: Manager
) -> None:
    receiver.up = False
    with harness.database.begin() as tx:
        alerts = [(f"cause {number}", {"id": f"alt_{number}", "what": "stuck"}) for number in range(5)]
        outbox.write(tx, ["webhook"], alerts, tx.now())
    manager.works()
    assert receiver.tried == 5
    receiver.up = True
    harness.now += seconds(5)
    manager.works()
    assert [each["id"] for each in receiver.received] == [f"alt_{number}" for number in range(5)]


def test_a_process_that_dies_before_it_could_note_the_delivery_delivers_the_same_alert_again(
    harness: HttpHarness, receiver: Receiver, manager: Manager
) -> None:
    class Killed(BaseException):
        """As `kill -9` in this moment."""

    def die() -> None:
        raise Killed

    receiver.instead = die
    with pytest.raises(Killed):
        is_told_of_one(harness, manager)
    receiver.instead = lambda: None
    another = Manager(harness, receiver)
    another.works()
    assert receiver.told == ["stuck"], "for the time of the lease nobody else takes it"
    harness.now += outbox.LEASE
    another.works()
    harness.now += outbox.LEASE
    another.works()
    assert receiver.told == ["stuck", "stuck"]
    assert receiver.received[0] == receiver.received[1]


def test_whoever_was_too_slow_does_not_undo_what_another_has_noted(
    harness: HttpHarness, receiver: Receiver, manager: Manager
) -> None:
    stuck_one(harness)
    manager.watch.look()
    harness.now += seconds(60)
    manager.watch.look()
    slow = outbox.claim(harness.database, "webhook")
    assert slow is not None
    harness.now += outbox.LEASE
    manager.works()
    assert not outbox.failed(harness.database, "webhook", slow, "too late")
    [row] = rows(harness.database)
    assert (row.state, row.trouble) == ("delivered", "")


def test_a_look_while_nothing_changes_writes_nothing(harness: HttpHarness, manager: Manager) -> None:
    is_told_of_one(harness, manager)
    before = harness.database.commits
    assert manager.watch.look() is False
    with harness.database.read() as tx:
        assert tx.now()
    assert harness.database.commits - before <= 2, "only transactions that read"


def test_old_ends_are_forgotten_and_what_waits_is_not(
    harness: HttpHarness, receiver: Receiver, manager: Manager
) -> None:
    is_told_of_one(harness, manager)
    receiver.up = False
    with harness.database.begin() as tx:
        outbox.write(tx, ["email"], [("cause", {"id": "alt_of_nobody", "what": "stuck"})], tx.now())
    harness.now += days(31)
    outbox.forget_old(harness.database)
    assert [row.alert for row in rows(harness.database)] == ["alt_of_nobody"]
