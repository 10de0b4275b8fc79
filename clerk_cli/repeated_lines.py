"""Repeated log lines are counted, not repeated: whoever causes trouble from outside must not fill the disk with it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Event, Lock, Thread
from time import monotonic
from typing import Any

EVERY = 60.0
"""Seconds between two lines with a count."""
DIFFERENT = 20
"""Lines of one kind that differ, and are all logged within EVERY."""
KINDS = 1000
"""Kinds that are told apart at the same time."""
NOT_SAID = frozenset({"request_id", "timestamp", "_record", "exc_info"})
"""Fields in which two lines may differ and still say the same."""
REPEATED = "repeated"
"""The field with the count, in a line that tells of those that were left out."""
Kind = tuple[str, int, str]
"""Logger, level, and the event, or the text before its values are filled in."""
OTHERS: Kind = ("clerk_cli.repeated_lines", logging.WARNING, "more_trouble_of_other_kinds")
"""Where all are counted once there are KINDS."""
Tell = Callable[[Kind, int], None]


@dataclass(slots=True)
class Counted:
    """One kind, since the first of its lines or the last count. `level` and texts are in the key."""

    since: float
    said: set[str] = field(default_factory=set)
    left_out: int = 0


class RepeatedLines(logging.Filter):
    """Lets the first of equal warnings and errors pass; `tell` logs how many came after it, once a minute.

    `clock` gives seconds. Use it as a filter of a handler.
    """

    def __init__(self, tell: Tell, *, clock: Callable[[], float] = monotonic) -> None:
        super().__init__()
        self._tell = tell
        self._clock = clock
        self._kinds: dict[Kind, Counted] = {}
        self._lock = Lock()
        self._teller: Thread | None = None

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING or (isinstance(record.msg, Mapping) and REPEATED in record.msg):
            return True
        kind, said = _kind(record), _what_is_said(record)
        with self._lock:
            if kind not in self._kinds and len(self._kinds) >= KINDS:
                kind = OTHERS
            counted = self._kinds.get(kind)
            if counted is None:
                counted = self._kinds[kind] = Counted(self._clock())
                self._start_teller()
            if said in counted.said or len(counted.said) >= DIFFERENT:
                counted.left_out += 1
                return False
            counted.said.add(said)
            return True

    def tell_counts(self) -> None:
        """Log the counts that are due, and forget the kinds of which nothing more came."""
        now, due = self._clock(), []
        with self._lock:
            for kind, counted in list(self._kinds.items()):
                if now - counted.since < EVERY:
                    continue
                if counted.left_out:
                    due.append((kind, counted.left_out))
                    counted.since, counted.left_out = now, 0
                else:
                    del self._kinds[kind]
        for kind, count in due:
            self._tell(kind, count)

    def _start_teller(self) -> None:
        if self._teller is None:
            self._teller = Thread(target=self._tell_now_and_then, name="log-counts", daemon=True)
            self._teller.start()

    def _tell_now_and_then(self) -> None:
        """Runs in a thread until nothing is counted any more."""
        pause = Event()
        while True:
            pause.wait(EVERY / 4)
            self.tell_counts()
            with self._lock:
                if not self._kinds:
                    self._teller = None
                    return


def _kind(record: logging.LogRecord) -> Kind:
    event: object = record.msg.get("event") if isinstance(record.msg, Mapping) else record.msg
    return record.name, record.levelno, str(event).partition("\n")[0]


def _what_is_said(record: logging.LogRecord) -> str:
    if isinstance(record.msg, Mapping):
        said: Any = sorted((name, str(value)) for name, value in record.msg.items() if name not in NOT_SAID)
    else:
        said = (_kind(record), record.args)
    return str(hash(str(said)))
