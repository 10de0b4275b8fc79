"""Plays many cases, on all cores, and hands the results back in the order of the cases."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import count, islice
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

from simulation.cases import Case, Result, run
from simulation.stores import Kind, Stores

Play = Callable[[Iterable[Case]], Iterator[Result]]
AT_ONCE = 400
"""Cases handed out at a time, so that nobody holds a hundred thousand results."""
SWEEP_AFTER = 20
"""Cases between two collections of garbage."""
_stores: Stores | None = None
_played = count(1)


@contextmanager
def players(kind: Kind, workers: int, *, keep_ports: bool = False) -> Iterator[Play]:
    """A way to play cases, in `workers` processes or, with one, in this one."""
    with TemporaryDirectory(prefix="clerk-simulate-") as folder:
        if workers == 1:
            stores = Stores(kind, Path(folder))
            _sweep_seldom()
            try:
                yield lambda cases: (_run(case, stores, keep_ports) for case in cases)
            finally:
                gc.enable()
                gc.unfreeze()
                stores.close()
            return
        beginning = (kind, folder)
        with ProcessPoolExecutor(workers, get_context("spawn"), _begins, beginning) as pool:
            yield partial(_share, pool, keep_ports)
            pool.shutdown(cancel_futures=True)


def _sweep_seldom() -> None:
    """What is there now stays, and a world leaves garbage that need not be looked for while it is played."""
    gc.collect()
    gc.freeze()
    gc.disable()


def _run(case: Case, stores: Stores, keep_ports: bool) -> Result:
    if next(_played) % SWEEP_AFTER == 0:
        gc.collect()
    return run(case, stores, keep_ports=keep_ports)


def cores() -> int:
    return os.cpu_count() or 1


def _share(pool: ProcessPoolExecutor, keep_ports: bool, cases: Iterable[Case]) -> Iterator[Result]:
    left = iter(cases)
    while portion := list(islice(left, AT_ONCE)):
        yield from pool.map(partial(_run_here, keep_ports), portion, chunksize=10)


def _begins(kind: Kind, folder: str) -> None:
    global _stores  # noqa: PLW0603  # one a process: making them takes longer than playing
    _stores = Stores(kind, Path(mkdtemp(dir=folder)))
    _sweep_seldom()


def _run_here(keep_ports: bool, case: Case) -> Result:
    if _stores is None:
        raise RuntimeError("this process has no stores")
    return _run(case, _stores, keep_ports)
