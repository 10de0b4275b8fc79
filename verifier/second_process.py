"""A second process that checks pages of Clerks beside the first one: the rules are Python's work, one core's a process.

It is a fork, so it shares what is loaded already; the connections of the first are not used there (docs/decisions/153).
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection

from messaging.database import Database
from verifier.violation import Violation

Check = Callable[[Sequence[str]], list[Violation]]
"""The violations of a page of Clerks."""


class EndedEarly(RuntimeError):
    """The second process is gone; the message is one clear line."""


class SecondProcess:
    """`give` it a page, then `take` its violations, before it is given the next one."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    def give(self, ids: Sequence[str]) -> None:
        try:
            self._pipe.send(ids)
        except OSError:
            raise _ended() from None

    def take(self) -> list[Violation]:
        """Raises what went wrong there."""
        try:
            found: list[Violation] | Exception = self._pipe.recv()
        except (EOFError, OSError):
            raise _ended() from None
        if isinstance(found, Exception):
            raise found
        return found


@contextmanager
def second_process(databases: Mapping[str, Database], check: Check) -> Iterator[SecondProcess | None]:
    """None where there is no second core, or no forking that is safe. It ends with the block, or with this process."""
    if sys.platform != "linux" or len(os.sched_getaffinity(0)) < 2:
        yield None
        return
    ours, its = get_context("fork").Pipe()
    process = get_context("fork").Process(target=_serve, args=(its, ours, databases, check), daemon=True)
    process.start()
    its.close()
    try:
        yield SecondProcess(ours)
    finally:
        ours.close()
        process.join()


def _serve(pipe: Connection, of_the_first: Connection, databases: Mapping[str, Database], check: Check) -> None:
    """Answer each page, until the first process closes its end or is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first one decides
    of_the_first.close()
    for database in databases.values():
        database.forget_connections()
    while True:
        try:
            ids = pipe.recv()
        except EOFError:
            return
        try:
            pipe.send(check(ids))
        except Exception as error:  # it is raised in the first process
            pipe.send(error)


def _ended() -> EndedEarly:
    return EndedEarly("the second process of the check has ended: run it again")
