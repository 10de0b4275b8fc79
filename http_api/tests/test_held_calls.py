"""Streams say something every now and then, whatever holds them up, and answer HEAD without beginning."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, nullcontext

import pytest
from starlette.types import Message

from http_api import held_calls
from http_api.held_calls import STILL_HERE, EventStream, KeptAlive
from http_api.methods import MethodsMiddleware

LIMIT = 10.0


def test_a_comment_comes_at_least_every_15_seconds() -> None:
    assert held_calls.KEEP_ALIVE <= 14


def test_a_stream_that_is_held_up_is_kept_alive_and_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_calls, "KEEP_ALIVE", 0.01)

    async def heard() -> list[bytes]:
        goes_on, closed = asyncio.Event(), []

        async def events() -> AsyncGenerator[bytes, None]:
            try:
                yield b"first"
                await goes_on.wait()
                yield b"second"
                await asyncio.Event().wait()
            finally:
                closed.append(True)

        async with aclosing(KeptAlive(events())) as stream:
            said = [await anext(stream), await anext(stream), await anext(stream)]
            goes_on.set()
            while said[-1] != b"second":
                said.append(await anext(stream))
            said.append(await anext(stream))
        assert closed == [True], "it ends with whoever listened"
        return said

    said = asyncio.run(asyncio.wait_for(heard(), LIMIT))
    assert said[:3] == [b"first", STILL_HERE, STILL_HERE]
    assert said[-2:] == [b"second", STILL_HERE]


def test_a_stream_that_ends_or_breaks_does_so_for_its_listener() -> None:
    async def events(*, broken: bool) -> AsyncGenerator[bytes, None]:
        yield b"first"
        if broken:
            raise LookupError("planted")

    async def heard(*, broken: bool) -> list[bytes]:
        async with aclosing(KeptAlive(events(broken=broken))) as stream:
            return [each async for each in stream]

    assert asyncio.run(heard(broken=False)) == [b"first"]
    with pytest.raises(LookupError):
        asyncio.run(heard(broken=True))


def test_head_is_answered_at_once_and_without_the_stream() -> None:
    async def never(_place: None) -> AsyncGenerator[bytes, None]:
        raise LookupError("begun")
        yield b""

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    app = MethodsMiddleware(EventStream(nullcontext(), never))
    scope = {"type": "http", "method": "HEAD", "path": "/", "headers": []}
    asyncio.run(asyncio.wait_for(app(scope, receive, send), LIMIT))
    headers = dict(sent[0]["headers"])
    assert headers[b"content-type"].startswith(b"text/event-stream")
    assert headers[b"cache-control"] == b"no-store, no-transform"
    assert headers[b"x-accel-buffering"] == b"no"
    assert b"".join(message.get("body", b"") for message in sent[1:]) == b""
