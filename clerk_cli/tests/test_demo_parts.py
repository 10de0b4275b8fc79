"""The demo's people, goods, stories and their scheduler, without a shop: a fake server records the requests."""

from __future__ import annotations

import json
from itertools import chain
from random import Random
from threading import Event
from typing import Any

import httpx
import pytest

from clerk_cli.data_folder import Credentials
from clerk_cli.demo.goods import THINGS, goods
from clerk_cli.demo.people import SMALL_LIMIT, people
from clerk_cli.demo.shop_client import CallFailed, ShopClient
from clerk_cli.demo.story_scheduler import Story, StoryScheduler
from clerk_cli.demo.troubles import TROUBLES, Trouble
from clerk_cli.demo.visits import (
    SOLD_OUT,
    VISITS,
    DemoShop,
    changes_mind,
    customers_come,
    in_a_hurry,
    leaves,
    second_card,
    too_much,
)

CREATES = ("POST", "/shop/session")
ALL_TROUBLES = list(chain.from_iterable(TROUBLES.values()))


class FakeServer:
    """Accepts everything; in every session the payment is due, and capture and settle are asked."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, Any]] = []
        self.broken = False

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.broken:
            return httpx.Response(503, json={})
        content = json.loads(request.content) if request.content else None
        self.requests.append((request.method, request.url.path, content))
        steps = [{"step": step, "state": "asked"} for step in ("capture", "settle")]
        return httpx.Response(200, json={"id": "clk_1", "status": "requires_action", "progress": steps,
                                         "next_action": {"type": "pay"}})  # fmt: skip

    def paths(self) -> list[tuple[str, str]]:
        return [(method, path) for method, path, _ in self.requests]

    def contents(self, method: str, path: str) -> list[Any]:
        return [content for its_method, its_path, content in self.requests if (its_method, its_path) == (method, path)]


@pytest.fixture
def server() -> FakeServer:
    return FakeServer()


@pytest.fixture
def demo(server: FakeServer) -> DemoShop:
    keys = Credentials("sk_1", "wk_1", "admin", "secret", "op_1")
    client = ShopClient("http://shop.test", keys, httpx.MockTransport(server))
    chance = Random(3)
    return DemoShop(client, chance, goods(chance), people(chance, 20))


class Clock:
    """Seconds that pass only when somebody waits."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 0.01
        return self.now


def test_goods_have_names_of_their_own_and_prices_as_shops_have_them() -> None:
    made = goods(Random(1))
    assert len({good.sku for good in made}) == len(made) == len(THINGS) + 4
    ranges = {what: prices for what, *prices in THINGS}
    for good in made[: len(THINGS)]:
        least, most = next(prices for what, prices in ranges.items() if good.name.endswith(what))
        assert least // 100 * 100 <= good.unit_amount <= most + 95
        assert good.unit_amount % 100 in (90, 95)
    assert made == goods(Random(1))


def test_people_have_names_addresses_and_ids_that_anybody_can_type() -> None:
    made = people(Random(1), 40)
    assert len({each.id for each in made}) == 40
    assert all(each.id.isascii() and each.email == f"{each.id}@example.com" for each in made)
    assert all(each.address["name"] == each.name for each in made)
    assert {each.type for each in made} == {"regular", "trusted"}
    assert [each.limit for each in made].count(SMALL_LIMIT) == 1


def test_stories_go_on_in_the_order_of_time_and_one_that_fails_hinders_no_other() -> None:
    told: list[str] = []

    def tells(name: str, *pauses: float) -> Story:
        for pause in pauses:
            told.append(name)
            yield pause
        told.append(name)

    def fails() -> Story:
        yield 0.1
        raise CallFailed("the shop has closed")

    stories = StoryScheduler(Clock())
    stories.add(tells("slow", 0.5, 0.5))
    stories.add(fails())
    stories.add(tells("quick", 0.2), within=0.1)
    stories.run(Event())
    assert told == ["slow", "quick", "quick", "slow", "slow"]


def test_the_scheduler_stops_when_it_is_told_to() -> None:
    stop = Event()

    def endless() -> Story:
        while True:
            yield 0.0
            stop.set()

    stories = StoryScheduler(Clock())
    stories.add(endless())
    stories.run(stop)
    assert stop.is_set()


@pytest.mark.parametrize("visit", VISITS)
def test_every_visit_begins_with_a_session_and_comes_to_an_end(server: FakeServer, demo: DemoShop, visit: Any) -> None:
    assert sum(1 for _ in visit(demo)) < 10
    assert server.paths()[0] == CREATES
    assert len(server.contents(*CREATES)) == 1


def test_visits_are_what_their_names_say(server: FakeServer, demo: DemoShop) -> None:
    list(chain(in_a_hurry(demo), second_card(demo), changes_mind(demo), leaves(demo), too_much(demo)))
    hurry, _, _, left, much = server.contents(*CREATES)
    assert hurry["items"] and hurry["payment"] == {"token": "tok_ok"}
    assert [each["token"] for each in server.contents("POST", "/payment/clk_1")] == ["tok_declined", "tok_ok"]
    assert ("POST", "/shop/session/clk_1/cancel") in server.paths()
    assert left["expires_in"] <= 25
    assert much["customer"] == demo.poor().id
    assert all(item["sku"] != SOLD_OUT for item in hurry["items"])


def test_customers_come_at_a_pace_and_the_first_ones_at_once(demo: DemoShop) -> None:
    come = customers_come(demo, StoryScheduler(Clock()), 60, first=50)
    pauses = [next(come) for _ in range(450)]
    assert sum(pauses[:49]) < 10
    assert 300 < sum(pauses[50:]) < 500


@pytest.mark.parametrize("trouble", ALL_TROUBLES)
def test_every_trouble_is_a_fault_of_its_own_clerk_alone_before_the_customer_pays(
    server: FakeServer, demo: DemoShop, trouble: Trouble
) -> None:
    list(trouble(demo))
    paths = server.paths()
    assert paths.index(("POST", "/dev/faults")) < paths.index(("POST", "/payment/clk_1"))
    first, *raw = server.contents("POST", "/dev/faults")
    assert first["clerk"] == "clk_1" and first["step"]
    assert [each["fault"] for each in raw] in ([], ["send_raw"])


def test_a_call_that_the_shop_refuses_ends_the_story(server: FakeServer, demo: DemoShop) -> None:
    server.broken = True
    with pytest.raises(CallFailed, match="POST /shop/session: 503"):
        list(in_a_hurry(demo))
