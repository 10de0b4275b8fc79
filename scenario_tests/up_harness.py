"""`clerk up` as a process on a data folder, for tests that kill it."""

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
from scenario_tests.harness import SETTINGS, ApiKeys
from scenario_tests.traffic import Traffic
from scenario_tests.waiting import until

_ROOT = Path(__file__).parents[1]


class UpHarness:
    """A `Harness` (harness.py) whose services are one process: they are killed and started together."""

    knows_senders = True

    def __init__(self, data: Path) -> None:
        self._data = data
        self._log = data.parent / "up.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._url = ""
        self._databases: dict[str, Database] = {}
        self.start("all")
        kept = json.loads((data / "credentials.json").read_text())
        self.keys = ApiKeys(kept["server_key"], kept["warehouse_key"], kept["operator"]["key"])

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

    def url_of(self, service: str) -> str:
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
        return _unsupported()

    def put(self, queue: str, body: bytes, sender: str | None) -> None:
        _unsupported()

    def depth(self, queue: str) -> int:
        return _unsupported()

    def stop(self, service: str) -> None:
        _unsupported()

    def recover(self) -> None:
        _unsupported()

    def stop_broker(self) -> None:
        _unsupported()

    def kill_broker(self) -> None:
        _unsupported()

    def start_broker(self) -> None:
        _unsupported()

    def another_manager(self) -> AbstractContextManager[str]:
        return _unsupported()


def _unsupported() -> NoReturn:
    raise AssertionError("`clerk up` keeps its messages in its own memory: tests cannot reach them")
