"""`clerk up` as a process of its own on a data folder: as much of a stage as killing it needs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NoReturn

from clerk_cli.databases import files_in, open_one
from clerk_cli.services import the_service
from messaging.database import Database
from scenario_tests.stage import SETTINGS, Keys
from scenario_tests.traffic import Traffic
from scenario_tests.waiting import until

_ROOT = Path(__file__).parents[1]


class UpStage:
    """A `Stage` (stage.py) whose services are one process: they are killed and started together."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._log = data.parent / "up.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._url = ""
        self._databases: dict[str, Database] = {}
        self.start("all")
        kept = json.loads((data / "credentials.json").read_text())
        self.keys = Keys(kept["server_key"], kept["warehouse_key"], kept["operator"]["key"])

    def start(self, service: str) -> None:
        """All of it is one process."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("CLERK_")} | SETTINGS
        command = [sys.executable, "-m", "clerk_cli", "up", "--port", "0", "--data", str(self._data)]
        self._log.write_text("")
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "--warehouse", "manual"], env=environment, cwd=_ROOT, stdout=log, stderr=log
            )
        until(self._is_ready, lambda: f"clerk up is ready; it said:\n{self._log.read_text()}")

    def _is_ready(self) -> bool:
        assert self._process is not None and self._process.poll() is None, self._log.read_text()
        ready = [line for line in self._log.read_text().splitlines() if line.startswith("ready ")]
        self._url = ready[0].removeprefix("ready ") if ready else ""
        return bool(ready)

    def kill(self, service: str) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def door(self, service: str) -> str:
        return self._url

    def database(self, service: str) -> Database:
        if service not in self._databases:
            self._databases[service] = open_one(the_service(service), files_in(self._data))
        return self._databases[service]

    def close(self) -> None:
        self.kill("all")
        for database in self._databases.values():
            database.close()

    def traffic(self) -> AbstractContextManager[Traffic]:
        return _not_here()

    def put(self, queue: str, body: bytes) -> None:
        _not_here()

    def depth(self, queue: str) -> int:
        return _not_here()

    def stop(self, service: str) -> None:
        _not_here()

    def stop_broker(self) -> None:
        _not_here()

    def kill_broker(self) -> None:
        _not_here()

    def start_broker(self) -> None:
        _not_here()

    def another_manager(self) -> AbstractContextManager[str]:
        return _not_here()


def _not_here() -> NoReturn:
    raise AssertionError("`clerk up` has its messages in its own memory: nobody can reach for them")
