"""Processor time and memory of whole process trees, read from /proc."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

TICKS = os.sysconf("SC_CLK_TCK")
LOOK_EVERY = 0.5


@dataclass(frozen=True, slots=True)
class ProcessTime:
    """Seconds that a process used, and those of its children that have ended. `parent`: a pid."""

    parent: int
    own: float
    ended_children: float

    @property
    def total(self) -> float:
        return self.own + self.ended_children


def read_processes(folder: Path = Path("/proc")) -> dict[int, ProcessTime]:
    """Every process of this machine, by pid."""
    return dict(_read(folder))


def _read(folder: Path) -> Iterator[tuple[int, ProcessTime]]:
    for entry in folder.iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended meanwhile
        own, children = (int(fields[first]) + int(fields[first + 1]) for first in (11, 13))
        yield int(entry.name), ProcessTime(int(fields[1]), own / TICKS, children / TICKS)


def tree_seconds(root: int, processes: Mapping[int, ProcessTime]) -> float:
    """What this process and all below it have used so far; 0 when it is not there."""
    return sum(processes[pid].total for pid in family(root, processes) if pid in processes)


def family(root: int, processes: Mapping[int, ProcessTime]) -> Iterable[int]:
    """The process and all its descendants."""
    children: dict[int, list[int]] = {}
    for pid, process in processes.items():
        children.setdefault(process.parent, []).append(pid)
    found, left = [], [root]
    while left:
        pid = left.pop()
        found.append(pid)
        left += children.get(pid, [])
    return found


def memory_mib(pid: int) -> float:
    """Resident memory of one process."""
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmRSS"))


@contextmanager
def most_memory(root: int) -> Iterator[Callable[[], float]]:
    """Gives the MiB that a process and all below it had at most during the block; what they share counts once."""
    enough, seen = Event(), [0.0]

    def look() -> None:
        while not enough.wait(LOOK_EVERY):
            seen[0] = max(seen[0], sum(_own_share(pid) for pid in family(root, read_processes())))

    thread = Thread(target=look)
    thread.start()
    try:
        yield lambda: seen[0]
    finally:
        enough.set()
        thread.join()


def _own_share(pid: int) -> float:
    """Of a page that several processes have, each has its part; 0 when the process has ended."""
    with suppress(FileNotFoundError, ProcessLookupError):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:")), 0.0)
    return 0.0
