"""A baseline as a contestant: a program that plays orders when it is told to (`baselines.conversation`)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from subprocess import Popen
from typing import Any

from benchmarks.figures import Figures, percentile
from benchmarks.meter import Meter, used
from benchmarks.processor_time import read_processes
from scenario_tests.servers import Servers

WARM_UP = 20


class BaselineRound:
    """One running program. Its workers are its children; what it uses itself counts as the load generator's."""

    def __init__(self, program: Popen[str], servers: Servers | None, log: Path) -> None:
        self._program = program
        self._log = log
        ready = self._answer()
        self.versions: dict[str, str] = ready["versions"]
        self._in_itself = bool(ready.get("in_itself"))
        self._meter = Meter(servers, self._pids)
        self.phases: Mapping[str, Callable[[int], Figures]] = {"alone": self.alone, "engine": self.engine}

    def warm_up(self) -> None:
        self.alone(3)
        self.engine(WARM_UP)

    def alone(self, orders: int) -> Figures:
        commits, before = self._meter.commits(), self._meter.read()
        times = self._ask(do="alone", orders=orders)["seconds"]
        after = self._meter.read()
        return {
            "orders": orders,
            "p50_ms": percentile(times, 50) * 1000,
            "p99_ms": percentile(times, 99) * 1000,
            **used(before, after, orders),
            "commits": (self._meter.commits() - commits) / orders,
        }

    def engine(self, orders: int) -> Figures:
        self._ask(do="engine", orders=orders)
        commits, before = self._meter.commits(), self._meter.read()
        seconds = self._ask(do="go")["seconds"]
        after = self._meter.read()
        return {
            "orders": orders,
            "orders_per_s": orders / seconds,
            **used(before, after, orders),
            "commits": (self._meter.commits() - commits) / orders,
        }

    def verify(self) -> None:
        """Its program has looked already whether every order has ended."""

    def _pids(self) -> Mapping[str, Sequence[int]]:
        own = self._program.pid
        if self._in_itself:
            return {"workers": [own]}
        return {"workers": [pid for pid, process in read_processes().items() if process.parent == own]}

    def _ask(self, **what: Any) -> Any:
        if self._program.stdin is not None:
            self._program.stdin.write(json.dumps(what) + "\n")
            self._program.stdin.flush()
        return self._answer()

    def _answer(self) -> Any:
        line = self._program.stdout.readline() if self._program.stdout else ""
        if not line:
            said = self._log.read_text(errors="replace").strip().splitlines()
            raise RuntimeError(f"the program has ended: {' | '.join(said[-3:])}")
        return json.loads(line)
