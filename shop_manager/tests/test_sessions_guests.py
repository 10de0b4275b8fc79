"""How many sessions guests may open: live ones by address, in an hour by network and all together (security S5)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import event, func, select

from domain.times import hours, minutes, seconds
from http_api.principals import NOBODY
from http_api.problems import Problem
from http_api.request import Origin, origin
from shop_manager.engine.tables import guest_sessions
from shop_manager.sessions import guests
from shop_manager.sessions.guests import BESIDE, COPIES, GuestSessions, forget_old
from shop_manager.sessions.opening import Caller, Opening
from shop_manager.sessions.opening_options import GuestLimits
from shop_manager.sessions.opening_request import OpenSession
from shop_manager.tests.http_harness import ITEMS, SERVER, HttpHarness

STRONG = "f81d4fae-7dec-4d0a-a765-00a0c91e6bf6"
HOME = "203.0.113.7"
Answered = tuple[int, str]
TOO_MANY: Answered = (429, "too_many_sessions")
OVERLOADED: Answered = (503, "overloaded")
OPENED: Answered = (201, "")


class Guests:
    """A shop with these limits. `come` opens sessions as `POST /shop/session` does, from any address."""

    def __init__(self, folder: Path, **limits: int) -> None:
        self.harness = HttpHarness(folder, None, **limits)
        self.at = HOME

    def ask(self, who: str | None = None, **more: Any) -> httpx.Response:
        return self.harness.call("POST", "/shop/session", who, **{"json": {}, "client": (self.at, 4711), **more})

    def come(self, count: int = 1, who: str | None = None, **body: Any) -> list[Answered]:
        found = [self.ask(who, json=body) for _ in range(count)]
        return [(each.status_code, each.json().get("code", "")) for each in found]

    def lines(self) -> list[Any]:
        with self.harness.database.read() as tx:
            return list(tx.execute(select(guest_sessions).order_by(guest_sessions.c.opened_at)))

    def close(self) -> None:
        self.harness.notifier.close()
        self.harness.database.close()


@contextmanager
def shop(folder: Path, **limits: int) -> Iterator[Guests]:
    guests_ = Guests(folder, **limits)
    yield guests_
    guests_.close()


@pytest.fixture
def few(tmp_path: Path) -> Iterator[Guests]:
    with shop(tmp_path, guest_sessions_per_address=3) as found:
        yield found


@pytest.mark.parametrize("who", [None, "cs_invented"])
def test_S5_an_address_has_so_many_live_sessions_and_the_next_is_told_to_wait(few: Guests, who: str | None) -> None:
    assert few.come(4, who) == [OPENED] * 3 + [TOO_MANY]
    refused = few.ask(who)
    assert int(refused.headers["retry-after"]) == 60 and refused.json()["retryable"] is True
    few.at = "203.0.113.8"
    assert few.come() == [OPENED]


def test_S5_access_keys_are_not_counted_and_never_blocked_by_guests(few: Guests) -> None:
    assert few.come(4)[-1] == TOO_MANY
    assert few.come(10, SERVER) == [OPENED] * 10
    assert few.come(1, "wk_hall") == [OPENED]
    assert len(few.lines()) == 3


def test_S5_a_session_that_has_ended_makes_room(few: Guests) -> None:
    first = few.ask().json()
    assert few.come(3) == [OPENED, OPENED, TOO_MANY]
    few.harness.call("POST", first["links"]["cancel"], first["client_secret"])
    [undo] = [command for command in few.harness.sent() if command.direction == "undo"]
    few.harness.answers(undo)
    assert few.harness.session(first["id"])["status"] == "canceled"
    few.harness.now += seconds(1)
    assert few.come(2) == [OPENED, TOO_MANY]


def test_S5_a_session_counts_no_longer_than_it_may_be_ordered(few: Guests) -> None:
    assert few.come(1, expires_in=60) == [OPENED]
    assert few.come(3) == [OPENED, OPENED, TOO_MANY]
    few.harness.now += minutes(1)
    assert few.come(2) == [OPENED, TOO_MANY]


def test_S5_a_64_counts_as_an_address_and_a_48_has_four_times_as_many(few: Guests) -> None:
    found = []
    for household in range(6):
        few.at = f"2001:db8:1:{household:x}::{household + 1:x}"
        found += few.come(3)
    assert found == [OPENED] * 12 + [TOO_MANY] * 6
    few.at = "2001:db8:1:0:ffff::1"
    assert few.come() == [TOO_MANY]
    few.at = "2001:db8:2::1"
    assert few.come() == [OPENED]


def test_S5_another_shop_manager_counts_the_same_sessions(few: Guests, tmp_path: Path) -> None:
    assert few.come(3) == [OPENED] * 3
    other = Opening(few.harness.manager, few.harness.secrets, few.harness.settings.opening())
    with pytest.raises(Problem) as refused:
        other.open(OpenSession(), Caller(NOBODY, origin({"client": (HOME, 1)})), None, None)
    assert refused.value.code == "too_many_sessions"


def test_what_is_opened_again_under_its_key_is_no_second_session(few: Guests) -> None:
    key = {"Idempotency-Key": STRONG}
    first = few.ask(headers=key)
    assert few.come(3) == [OPENED, OPENED, TOO_MANY]
    assert few.ask(headers=key).json() == first.json()
    assert len(few.lines()) == 3


# --- an hour ----------------------------------------------------------------------------------------------------------


def test_S5_one_network_has_a_tenth_of_what_guests_may_open_in_an_hour(tmp_path: Path) -> None:
    with shop(tmp_path, guest_sessions_per_hour=30) as found:
        assert found.come(4, expires_in=1) == [OPENED] * 3 + [TOO_MANY]
        found.harness.now += minutes(59)
        refused = found.ask()
        assert (refused.json()["code"], refused.headers["retry-after"]) == ("too_many_sessions", "300")
        found.at = "203.0.113.8"
        assert found.come() == [OPENED]
        found.at = HOME
        found.harness.now += minutes(1)
        assert found.come() == [OPENED]


def test_S5_guests_have_an_hour_all_together_and_the_shops_backend_goes_on(tmp_path: Path) -> None:
    with shop(tmp_path, guest_sessions_per_hour=3) as found:
        answers = []
        for number in range(5):
            found.at = f"203.0.113.{number}"
            answers += found.come()
        assert answers == [OPENED] * 3 + [OVERLOADED] * 2
        assert int(found.ask().headers["retry-after"]) == 60
        assert found.come(3, SERVER) == [OPENED] * 3


def test_S5_what_guests_leave_is_counted_in_bytes(tmp_path: Path) -> None:
    with shop(tmp_path, guest_megabytes_per_hour=1) as found:
        large: dict[str, Any] = {"metadata": {"note": "x" * 8000}, "shipping_address": {"note": "x" * 8000}}
        assert found.come(3, None, **large) == [OPENED, OPENED, TOO_MANY]
        sizes = [line.size for line in found.lines()]
        assert 50_000 < sizes[0] < 60_000 and sum(sizes) >= 100_000
        answers = []
        for number in range(40):
            found.at = f"203.0.113.{number + 10}"
            answers += found.come(1, None, **large)
        assert answers.count(OPENED) + 2 == 1_000_000 // sizes[0] + 1
        assert answers[-1] == OVERLOADED
        assert found.come(1, SERVER, **large) == [OPENED]


def test_S5_the_whole_hour_is_counted_again_every_five_seconds(harness: HttpHarness) -> None:
    now = 100.0
    limits = GuestLimits(per_hour=2)
    mine, others = (GuestSessions(harness.database, limits, str, lambda: now) for _ in range(2))

    def take(counting: GuestSessions, number: int) -> None:
        counting.count()
        with harness.database.begin() as tx:
            line = counting.session(f"clk_{number}", Origin(str(number), str(number)), {}, harness.now + 1000)
            [problem] = counting.take(tx, [line])
        if problem:
            raise problem

    mine.count()
    take(others, 1)
    take(others, 2)
    take(mine, 3)  # it has not seen the others' two yet
    now += guests.COUNT_EVERY
    for counting in (mine, others):
        with pytest.raises(Problem) as refused:
            take(counting, 4)
        assert refused.value.code == "overloaded"


# --- what is kept, and how long ---------------------------------------------------------------------------------------


def test_S5_of_an_address_only_a_hash_is_kept_and_not_for_long(few: Guests) -> None:
    few.at = "2001:db8:1:2:3:4:5:6"
    assert few.come(1, expires_in=7200) == [OPENED]
    few.at = HOME
    assert few.come() == [OPENED]
    lines = few.lines()
    assert all(len(line.address) == len(line.network) == 64 for line in lines)
    assert not any(part in str(line) for line in lines for part in ("2001", "203.0.113"))
    assert lines[0].address != lines[0].network and lines[1].address == lines[1].network
    few.harness.now += minutes(59)
    forget_old(few.harness.database)
    assert len(few.lines()) == 2
    few.harness.now += minutes(1)
    forget_old(few.harness.database)
    assert [line.clerk for line in few.lines()] == [lines[0].clerk]  # it may be ordered for another hour
    few.harness.now += hours(1)
    forget_old(few.harness.database)
    assert few.lines() == []


def test_thousands_are_forgotten_at_once(harness: HttpHarness) -> None:
    rows = [
        {"clerk": f"clk_{number}", "address": "a", "network": "a", "opened_at": 1, "live_until": 1, "size": 1}
        for number in range(2500)
    ]
    with harness.database.begin() as tx:
        tx.insert(guest_sessions, rows)
    forget_old(harness.database)
    with harness.database.read() as tx:
        assert tx.execute(select(func.count()).select_from(guest_sessions)).scalar_one() == 0


def test_counting_guests_costs_two_statements_however_many_there_are(few: Guests) -> None:
    said: list[str] = []
    event.listen(few.harness.database.engine, "before_cursor_execute", lambda *arguments: said.append(arguments[2]))

    def cost(who: str | None) -> list[str]:
        said.clear()
        assert few.come(1, who, items=ITEMS) == [OPENED]
        return [each for each in said if not each.startswith(("BEGIN", "PRAGMA")) and "FROM outbox" not in each]

    few.come()  # this one has counted the hour
    guest = cost(None)
    assert len(guest) == len(cost(SERVER)) + 2 == 7, guest


def test_the_size_that_is_counted_is_an_upper_bound_of_what_was_measured() -> None:
    assert (BESIDE, COPIES) == (8192, 3)
