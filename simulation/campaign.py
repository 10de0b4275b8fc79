"""Runs many cases, on all cores, and returns the results in the order of the cases."""

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

from simulation.cases import Case, Result, run_case
from simulation.stores import StoreKind, Stores

RunCases = Callable[[Iterable[Case]], Iterator[Result]]
CASES_AT_ONCE = 400
"""Cases handed to the pool at a time, so that no hundred thousand results are in memory."""
COLLECT_AFTER = 20
"""Cases between two garbage collections."""
_stores: Stores | None = None
_run_count = count(1)


@contextmanager
def case_runner(kind: StoreKind, workers: int, *, keep_points: bool = False) -> Iterator[RunCases]:
    """A function that runs cases, in `workers` processes; with one worker, in this process.

    `keep_points`: results have the injection points that were passed.
    """
    with TemporaryDirectory(prefix="clerk-simulate-") as folder:
        if workers == 1:
            stores = Stores(kind, Path(folder))
            _collect_seldom()
            try:
                yield lambda cases: (_run(case, stores, keep_points) for case in cases)
            finally:
                gc.enable()
                gc.unfreeze()
                stores.close()
            return
        arguments = (kind, folder)
        with ProcessPoolExecutor(workers, get_context("spawn"), _init_process, arguments) as pool:
            yield partial(_run_in_pool, pool, keep_points)
            pool.shutdown(cancel_futures=True)


def _collect_seldom() -> None:
    """Collect garbage only between cases: what is there now stays, and each run leaves little."""
    gc.collect()
    gc.freeze()
    gc.disable()


def _run(case: Case, stores: Stores, keep_points: bool) -> Result:
    if next(_run_count) % COLLECT_AFTER == 0:
        gc.collect()
    return run_case(case, stores, keep_points=keep_points)


def cores() -> int:
    return os.cpu_count() or 1


def _run_in_pool(pool: ProcessPoolExecutor, keep_points: bool, cases: Iterable[Case]) -> Iterator[Result]:
    left = iter(cases)
    while portion := list(islice(left, CASES_AT_ONCE)):
        yield from pool.map(partial(_run_in_process, keep_points), portion, chunksize=10)


def _init_process(kind: StoreKind, folder: str) -> None:
    global _stores  # noqa: PLW0603  # one a process: making them takes longer than a run
    _stores = Stores(kind, Path(mkdtemp(dir=folder)))
    _collect_seldom()


def _run_in_process(keep_points: bool, case: Case) -> Result:
    if _stores is None:
        raise RuntimeError("this process has no stores")
    return _run(case, _stores, keep_points)
