"""New sessions wait at a door, and not for long; all other requests pass it (docs/decisions/158)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace

import orjson
import pytest
from starlette.types import Message, Receive, Scope, Send

from http_api.keys import Holder, KeyCheck, KeyFault, new_key
from shop_manager.sessions.opening_door import OpeningDoor

LIMIT = 10.0
NEVER, AT_ONCE = 3600.0, 0.0
KEY = new_key("server")


class Known(KeyCheck):
    """Knows one key."""

    def check(self, plain: str) -> Holder | None:
        raise AssertionError("a key that was good a moment ago is not looked up")

    def fault(self, plain: str) -> KeyFault:
        raise AssertionError

    def recall(self, plain: str) -> Holder | None:
        raise AssertionError

    def known(self, plain: str) -> bool:
        return plain == KEY


class Application:
    """Behind the door: it answers no request before it is told to."""

    def __init__(self) -> None:
        self.inside: list[str] = []
        self.answers = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.inside.append(scope["path"])
        await self.answers.wait()
        await send({"type": "http.response.start", "status": 201, "headers": []})
        await send({"type": "http.response.body", "body": b""})


class Visitor:
    """One request, sent the moment it is made."""

    def __init__(
        self, door: OpeningDoor, path: str = "/shop/session", address: str = "10.0.0.1", *, key: str = ""
    ) -> None:
        self.heard: list[Message] = []
        headers = [(b"authorization", f"Bearer {key}".encode())] if key else []
        state = SimpleNamespace(keys=Known(), behind_proxy=False)
        scope = {
            "type": "http", "method": "POST", "path": path, "headers": headers, "query_string": b"",
            "client": (address, 1234), "app": SimpleNamespace(state=state), "state": {},
        }  # fmt: skip
        self.answered = asyncio.create_task(door(scope, self._nothing, self._hear))

    async def _nothing(self) -> Message:
        raise AssertionError("the door reads no body")

    async def _hear(self, message: Message) -> None:
        self.heard.append(message)

    async def status(self) -> int:
        await asyncio.wait_for(self.answered, LIMIT)
        status: int = self.heard[0]["status"]
        return status


Story = Callable[[Application, Callable[[float], OpeningDoor]], Awaitable[None]]


def play(story: Story, inside: int = 4) -> None:
    async def played() -> None:
        application = Application()

        def door(within: float) -> OpeningDoor:
            return OpeningDoor(application, within, inside)

        await asyncio.wait_for(story(application, door), LIMIT)

    asyncio.run(played())


async def one_turn() -> None:
    """Of the event loop."""


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(LIMIT):
        while not true():
            await asyncio.create_task(one_turn())


def test_who_finds_no_place_is_refused_and_told_when_to_come_again() -> None:
    async def story(application: Application, door: Callable[[float], OpeningDoor]) -> None:
        the_door = door(AT_ONCE)
        first = [Visitor(the_door, key=KEY) for _ in range(4)]
        await until(lambda: len(application.inside) == 4)
        late = Visitor(the_door, key=KEY)
        assert await late.status() == 503
        assert orjson.loads(late.heard[1]["body"])["code"] == "overloaded"
        assert dict(late.heard[0]["headers"])[b"retry-after"] == b"2"
        application.answers.set()
        assert [await each.status() for each in first] == [201] * 4
        assert len(application.inside) == 4, "of what was refused the application has seen nothing"

    play(story)


def test_who_waits_comes_in_when_a_place_is_free() -> None:
    async def story(application: Application, door: Callable[[float], OpeningDoor]) -> None:
        the_door = door(NEVER)
        visitors = [Visitor(the_door, key=KEY) for _ in range(9)]
        await until(lambda: len(application.inside) == 4)
        application.answers.set()
        assert [await each.status() for each in visitors] == [201] * 9

    play(story)


@pytest.mark.parametrize("path", ["/shop/session/clk_1/cancel", "/shop/carts/clk_1/items", "/ops/bulk"])
def test_what_is_about_an_order_that_has_begun_passes(path: str) -> None:
    async def story(application: Application, door: Callable[[float], OpeningDoor]) -> None:
        the_door = door(AT_ONCE)
        for _ in range(4):
            Visitor(the_door, key=KEY)
        await until(lambda: len(application.inside) == 4)
        later = Visitor(the_door, path)
        await until(lambda: application.inside[-1] == path)
        application.answers.set()
        assert await later.status() == 201

    play(story)


def test_S4_a_flood_of_one_network_leaves_places_to_others_and_to_keys() -> None:
    async def story(application: Application, door: Callable[[float], OpeningDoor]) -> None:
        the_door = door(AT_ONCE)
        flood = [Visitor(the_door, address="10.9.9.9") for _ in range(20)]
        refused = [visitor for visitor in flood[2:] if await visitor.status() == 503]
        assert len(refused) == 18
        others = [Visitor(the_door, address="10.8.8.8"), Visitor(the_door, key=KEY)]
        await until(lambda: len(application.inside) == 4)
        application.answers.set()
        assert [await each.status() for each in [*flood[:2], *others]] == [201] * 4

    play(story)
