"""Several reads of one thread that see one picture of the database: `Database.one_moment`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from threading import local
from typing import Generic, TypeVar

Picture = TypeVar("Picture")


class Moments(Generic[Picture]):
    """`begin` begins a transaction that only reads."""

    def __init__(self, begin: Callable[[], AbstractContextManager[Picture]]) -> None:
        self._begin = begin
        self._here = local()

    @contextmanager
    def one(self) -> Iterator[None]:
        """All that is read within has the picture of the first; a moment within a moment is the same one."""
        if getattr(self._here, "stack", None) is not None:
            yield
            return
        with ExitStack() as stack:
            self._here.stack, self._here.picture = stack, None
            try:
                yield
            finally:
                self._here.stack = self._here.picture = None

    @contextmanager
    def read(self) -> Iterator[Picture]:
        stack: ExitStack | None = getattr(self._here, "stack", None)
        if stack is None:
            with self._begin() as picture:
                yield picture
            return
        if self._here.picture is None:
            self._here.picture = stack.enter_context(self._begin())
        yield self._here.picture
