"""Group commit: what is asked for in the same moment is done at once, by one thread, in one transaction.

Nobody waits for others to come: who finds nothing going on begins at once, and what comes meanwhile is done together
after it (docs/decisions/096).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock
from typing import Any, Generic, TypeVar

from messaging.database_limits import in_a_hurry

AskedT = TypeVar("AskedT")
GivenT = TypeVar("GivenT")
MOST = 50
"""Done at once."""


@dataclass(frozen=True, slots=True, eq=False)
class _Call(Generic[AskedT]):
    asked: AskedT
    loop: asyncio.AbstractEventLoop
    answer: asyncio.Future[Any]


class Together(Generic[AskedT, GivenT]):
    """`act` gives an outcome for each that is asked, in order: what is given, or the exception that is raised there.

    `act` is called in a thread, and in a hurry (messaging/database_limits.py). What it raises itself is raised for
    those and for all who wait by then: a database that does not answer keeps nobody longer than one call.
    """

    def __init__(self, act: Callable[[Sequence[AskedT]], Sequence[GivenT | Exception]], most: int = MOST) -> None:
        self._act = act
        self._most = most
        self._waiting: list[_Call[AskedT]] = []
        self._lock = Lock()
        self._led = False

    async def ask(self, asked: AskedT) -> GivenT:
        """What `act` gives for it."""
        loop = asyncio.get_running_loop()
        call = _Call(asked, loop, loop.create_future())
        with self._lock:
            self._waiting.append(call)
            leads, self._led = not self._led, True
        if leads:
            loop.run_in_executor(None, self._lead)
        given: GivenT = await call.answer
        return given

    def _lead(self) -> None:
        """Runs in a thread until nobody waits any more."""
        while calls := self._next(self._most):
            try:
                with in_a_hurry():
                    outcomes = self._act([call.asked for call in calls])
            except Exception as error:
                calls += self._next(None)
                outcomes = [error] * len(calls)
            self._tell(calls, outcomes)

    def _next(self, most: int | None) -> list[_Call[AskedT]]:
        with self._lock:
            taken, self._waiting = self._waiting[:most], self._waiting[len(self._waiting[:most]) :]
            self._led = bool(taken) or most is None
            return taken

    def _tell(self, calls: Sequence[_Call[AskedT]], outcomes: Sequence[GivenT | Exception]) -> None:
        """One event loop is woken once, however many wait in it."""
        pairs = list(zip(calls, outcomes, strict=True))
        for loop in {call.loop for call in calls}:
            with suppress(RuntimeError):  # the loop is closed: nobody waits there any more
                loop.call_soon_threadsafe(_settle, [pair for pair in pairs if pair[0].loop is loop])


def _settle(pairs: Sequence[tuple[_Call[Any], Any]]) -> None:
    for call, outcome in pairs:
        if call.answer.done():  # the process ends, and nobody waits for it any more
            continue
        if isinstance(outcome, Exception):
            call.answer.set_exception(outcome)
        else:
            call.answer.set_result(outcome)
