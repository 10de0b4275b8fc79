"""Failpoints: named places around our input and output at which a test can kill this process, as by `kill -9`.

Nothing is armed unless somebody calls `arm`; `clerk serve` does so for CLERK_FAILPOINT, in development only.
"""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import Literal, get_args

from messaging.database import Tx
from messaging.postgres import driver_connection

Point = Literal[
    "delivered",  # a batch is in hand, nothing has been done about it
    "counted",  # messages that came back have been counted, and not handled yet
    "in_transaction",  # everything is about to be written or is, nothing is committed
    "commit_sent",  # the database has been told to commit, and its answer is not heard
    "committed",  # everything is committed, nothing is published
    "outbox_taken",  # about to publish what is in the outbox
    "published",  # the broker has it and says so, and we have not listened
    "confirmed",  # the broker's confirm is noted, the row is still in the outbox
    "forgotten",  # the rows of confirmed deliveries are gone from the outbox
    "acknowledged",  # the broker may forget the batch
    "provider_answered",  # the payment provider has acted, and we have not written it down
    "http_before_commit",  # a request has written, nothing is committed
    "http_after_commit",  # a request has committed, its client does not know
]
POINTS: tuple[str, ...] = get_args(Point)
NAMED: tuple[Point, ...] = ("delivered", "in_transaction", "commit_sent", "committed")
"""Where it is known which messages are in hand: there a failpoint may mean only those with a command's name."""
MOST = 1_000_000
_FORM = re.compile(r"([a-z_]+)(?:/([A-Za-z]{1,64}))?(?::([0-9]{1,7}))?", re.ASCII)
_SENDING = 0.1
"""Seconds that the broker's thread has to send the acknowledgement before the process dies."""
_COMMIT = b"Q\x00\x00\x00\x0bCOMMIT\x00"
"""PostgreSQL's simple query; libpq would wait for the answer to it."""


class BadFailpoint(ValueError):
    """The text names no failpoint; the message is one clear line."""


@dataclass(eq=False)
class Failpoint:
    """Kills this process when `point` is reached for the `nth` time; with a `name`, by a message of that command."""

    point: str
    nth: int = 1
    name: str | None = None
    _left: int = field(init=False)
    _counting: Lock = field(init=False, default_factory=Lock)

    def __post_init__(self) -> None:
        self._left = self.nth

    def __str__(self) -> str:
        return f"{self.point}{f'/{self.name}' if self.name else ''}:{self.nth}"

    def reached(self, tx: Tx | None, names: Callable[[], Collection[str]]) -> None:
        if self.name is not None and self.name not in names():
            return
        with self._counting:
            self._left -= 1
            is_the_nth = self._left == 0
        if is_the_nth:
            die(self, tx)


_armed: Failpoint | None = None


def reached(point: Point, tx: Tx | None = None, names: Callable[[], Collection[str]] = tuple) -> None:
    """The process has come to this point; returns at once unless it is armed.

    `tx`: that of commit_sent. `names`: the commands of the messages in hand, at the points that are NAMED.
    """
    if _armed is not None and _armed.point == point:
        _armed.reached(tx, names)


def arm(failpoint: Failpoint) -> Callable[[], None]:
    """From now on the process dies there; the result takes it back."""
    global _armed  # noqa: PLW0603  # one a process: it is the process that dies
    _armed = failpoint

    def disarm() -> None:
        global _armed  # noqa: PLW0603  # as above
        _armed = None

    return disarm


def read_failpoint(text: str) -> Failpoint:
    """`committed`, `committed:3` for the third time, `committed/ReserveCredit:3` for the third of that command.

    BadFailpoint says what is wrong and what is allowed.
    """
    form = _FORM.fullmatch(text)
    if not form or form[1] not in POINTS:
        points = ", ".join(POINTS)
        raise BadFailpoint(
            f"{text[:60]!r}: allowed are POINT, POINT:NTH and POINT/NAME:NTH, with POINT one of {points}"
        )
    if form[2] and form[1] not in NAMED:
        raise BadFailpoint(f"{text[:60]!r}: a NAME goes with POINT one of {', '.join(NAMED)}")
    nth = int(form[3] or 1)
    if not 1 <= nth <= MOST:
        raise BadFailpoint(f"{text!r}: NTH must be 1 to {MOST}")
    return Failpoint(form[1], nth, form[2])


def die(failpoint: Failpoint, tx: Tx | None) -> None:
    """Say where on stderr, and kill this process: no exception handler, no clean-up, no flush."""
    if failpoint.point == "commit_sent" and tx is not None and tx.database.dialect == "postgresql":
        connection = driver_connection(tx.connection)
        connection.send_kept_back()
        os.write(connection.fileno(), _COMMIT)
    elif failpoint.point == "acknowledged":
        Event().wait(_SENDING)
    os.write(2, f"failpoint {failpoint} reached, killed\n".encode())
    os.kill(os.getpid(), signal.SIGKILL)
