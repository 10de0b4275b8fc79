"""A real Prometheus that scrapes a shop as deploy/monitoring/prometheus.yml says, for the tests."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from scenario_tests.servers.ports import free_ports
from scenario_tests.waiting import until
from scripts.prometheus import PACKAGE, installed

FOLDER = Path(__file__).parents[1] / "deploy" / "monitoring"
LIMIT = 30.0
STOP_LIMIT = 10.0


def program(name: str = "prometheus") -> str:
    """Without a Prometheus the test is skipped on a laptop, and fails where CI=true."""
    if installed():
        found = shutil.which(name)
        assert found is not None
        return found
    reason = f"no Prometheus to test with: install the package {PACKAGE}"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def promtool(*arguments: str, folder: Path = FOLDER) -> str:
    """What it says; AssertionError when it finds something wrong."""
    command = [program("promtool"), *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=LIMIT, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def configuration() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
    return found


class Prometheus:
    """A running one."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, trust_env=False, timeout=10.0)
        self.close = self._client.close

    def is_ready(self) -> bool:
        try:
            return self._client.get("/-/ready").status_code == 200
        except httpx.TransportError:
            return False

    def finds(self, query: str) -> list[dict[str, Any]]:
        """The samples of an instant query."""
        answer = self._client.get("/api/v1/query", params={"query": query})
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["data"]["result"]
        return found

    def targets(self) -> dict[str, str]:
        """By the label `service`: `up`, or the last error."""
        found = self._client.get("/api/v1/targets", params={"state": "active"}).json()["data"]["activeTargets"]
        return {each["labels"]["service"]: each["lastError"] or each["health"] for each in found}

    def rules(self) -> Sequence[str]:
        """The names of the alerts that it knows."""
        [group] = self._client.get("/api/v1/rules").json()["data"]["groups"]
        return [each["name"] for each in group["rules"]]


@contextmanager
def running(folder: Path, key: str, targets: Mapping[str, str]) -> Iterator[Prometheus]:
    """As the example's configuration says, but every second, from these targets (service → `HOST:PORT`)."""
    wanted = configuration()
    wanted["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s", "scrape_timeout": "1s"}
    [job] = wanted["scrape_configs"]
    assert {each["labels"]["service"] for each in job["static_configs"]} == set(targets)
    for each in job["static_configs"]:
        each["targets"] = [targets[each["labels"]["service"]]]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(wanted))
    (folder / "monitoring.key").write_text(key)
    shutil.copy(FOLDER / "alerts.yml", folder)
    [port] = free_ports(1)
    command = [program(), f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
               f"--web.listen-address=127.0.0.1:{port}"]  # fmt: skip
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
    found = Prometheus(f"http://127.0.0.1:{port}")
    try:
        until(found.is_ready, lambda: "Prometheus is ready; its log:\n" + (folder / "log").read_text(), LIMIT)
        yield found
    finally:
        found.close()
        server.send_signal(signal.SIGTERM)
        server.wait(STOP_LIMIT)
