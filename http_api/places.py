"""Places that calls hold while they wait: bounded under each of several names, and free again whatever happens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock

from http_api.problems import Problem

ALL = "all"
"""The name under which everybody holds a place."""
COME_AGAIN = 5
"""Seconds that somebody who got no place is told to wait."""


@dataclass(frozen=True, slots=True)
class Bound:
    """So many calls at a time under this name; `full` is what the one too many is told."""

    name: str
    most: int
    full: str
    code: str = "too_many_requests"


class Places:
    """The places of one process, for any thread. Names under which nobody holds one are not remembered."""

    def __init__(self) -> None:
        self._held: Counter[str] = Counter()
        self._lock = Lock()

    def __len__(self) -> int:
        """The number of names under which somebody holds a place."""
        return len(self._held)

    def taken(self, name: str) -> int:
        """How many places are held under this name."""
        return self._held.get(name, 0)

    @contextmanager
    def held(self, bounds: Sequence[Bound]) -> Iterator[None]:
        """One place under each name while the block lasts; a Problem with `code` when one name has no more."""
        with self._lock:
            for bound in bounds:
                if self._held.get(bound.name, 0) >= bound.most:
                    raise Problem(bound.code, bound.full, retry_after=COME_AGAIN)
            self._held.update(bound.name for bound in bounds)
        try:
            yield
        finally:
            with self._lock:
                for bound in bounds:
                    self._held[bound.name] -= 1
                    if not self._held[bound.name]:
                        del self._held[bound.name]
