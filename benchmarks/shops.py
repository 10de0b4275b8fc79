"""Starts whole shops to measure: one `clerk up`, or five `clerk serve` on a given RabbitMQ and PostgreSQL."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep

import httpx
from sqlalchemy import create_engine

from benchmarks.processor_time import memory_mib
from clerk_cli.databases import files_in
from clerk_cli.services import NAMES
from messaging.database import check_url
from messaging.rabbitmq.url import user_in

READY_WITHIN, STOPPED_WITHIN = 180.0, 60.0


@dataclass
class MeasuredShop:
    """A running shop: its address, its server key, and its processes by name. `ready_after` in seconds.

    `metrics`: by process, where its counters are. `database`: the URL template of its databases, with `{service}`.
    """

    url: str
    server_key: str
    processes: dict[str, subprocess.Popen[bytes]]
    metrics: dict[str, str]
    database: str
    environment: dict[str, str]
    ready_after: float
    _counted: dict[str, dict[str, float]] = field(default_factory=dict)

    def memory(self) -> dict[str, int]:
        """Resident memory of each process, in MiB."""
        return {name: round(memory_mib(process.pid)) for name, process in self.processes.items()}

    def pids(self) -> dict[str, Sequence[int]]:
        """Of its processes, by name."""
        return {name: [process.pid] for name, process in self.processes.items()}

    def counters(self) -> dict[str, float]:
        """`clerk_statements_total` and the like, summed over the processes; of one that stands still, as they were."""
        for name, address in self.metrics.items():
            if not _stands_still(self.processes[name].pid):
                self._counted[name] = _read_counters(address)
        sums: Counter[str] = Counter()
        for counted in self._counted.values():
            sums.update(counted)
        return dict(sums)


def _read_counters(address: str) -> dict[str, float]:
    sums: Counter[str] = Counter()
    for line in httpx.get(f"{address}/metrics").text.splitlines():
        if line.startswith("clerk_") and "_total{" in line:
            sums[line.split("{")[0]] += float(line.rsplit(" ", 1)[1])  # type: ignore[assignment]  # whole numbers all
    return dict(sums)


def _stands_still(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


@contextmanager
def embedded(folder: Path, *more: str) -> Iterator[MeasuredShop]:
    """`clerk up` with its data in `folder`/data; `more` are further flags of it."""
    port, began = free_port(), monotonic()
    arguments = ["up", "--port", str(port), "--data", str(folder / "data"), *more]
    with _running({"up": arguments}, folder, {}) as processes:
        url = f"http://127.0.0.1:{port}"
        _until_ready(url)
        key = json.loads((folder / "data" / "credentials.json").read_text())["server_key"]
        template, environment = files_in(folder / "data"), _environment({})
        yield MeasuredShop(url, key, processes, {"up": url}, template, environment, monotonic() - began)


@contextmanager
def services(
    folder: Path,
    broker_url: str,
    admin_url: str,
    template: str = "",
    *,
    copies: int = 1,
    more: Mapping[str, str] | None = None,
) -> Iterator[MeasuredShop]:
    """Five `clerk serve` processes or `copies` of each, with `more` in their environment.

    Without a `template` of empty databases five new ones are made, and left, on the PostgreSQL of `admin_url`.
    """
    template = template or new_databases(admin_url, f"bench_{os.getpid()}_")
    names = {f"{service}-{copy}" if copy else service: service for copy in range(copies) for service in NAMES}
    ports = {name: free_port() for name in names}
    addresses = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    environment = {
        "CLERK_BROKER_URL": broker_url,
        "CLERK_BROKER_SHARED_USER": user_in(broker_url),
        "CLERK_DATABASE_URL": template,
        "CLERK_DEVELOPMENT": "yes",  # the broker's user may be guest
        **{f"CLERK_{service.upper()}_URL": addresses[service] for service in NAMES[1:]},
        **(more or {}),
    }
    _clerk(["migrate"], folder, environment)
    key = json.loads(_clerk(["key", "create", "--scope", "server", "--json"], folder, environment))["key"]
    began = monotonic()
    commands = {name: ["serve", service, "--port", str(ports[name])] for name, service in names.items()}
    with _running(commands, folder, environment) as processes:
        for address in addresses.values():
            _until_ready(address)
        took = monotonic() - began
        whole = _environment(environment)
        yield MeasuredShop(addresses["shop_manager"], key, processes, addresses, template, whole, took)


def stock_up(shop: MeasuredShop, sku: str, on_hand: int) -> None:
    """Put one shop, one article and `on_hand` pieces of it into the database, over the API."""
    with httpx.Client(base_url=shop.url, headers={"Authorization": f"Bearer {shop.server_key}"}) as client:
        for path, body in (
            ("/shop/shops/squeaky-toys", {"name": "Squeaky Toys", "type": "physical", "allows_invoice": True}),
            (f"/shop/products/{sku}", {"name": "Bone", "unit_amount": 1295, "currency": "EUR", "kind": "physical"}),
            (f"/fulfillment/stock/{sku}", {"on_hand": on_hand}),
        ):
            client.put(path, json=body).raise_for_status()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def new_databases(admin_url: str, prefix: str) -> str:
    """Create a database for each service; returns their URL template."""
    engine = create_engine(check_url(admin_url), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for service in NAMES:
            connection.exec_driver_sql(f'CREATE DATABASE "{prefix}{service}"')
    engine.dispose()
    return template_on(admin_url, prefix)


def template_on(admin_url: str, prefix: str) -> str:
    """The URL template of the services' databases with this prefix on the administrator's PostgreSQL."""
    return f"{admin_url.rsplit('/', 1)[0]}/{prefix}{{service}}"


def _clerk(arguments: list[str], folder: Path, environment: Mapping[str, str]) -> str:
    command = [sys.executable, "-m", "clerk_cli", *arguments]
    return subprocess.run(  # noqa: S603  # our own command line
        command, cwd=folder, env=_environment(environment), check=True, capture_output=True, text=True
    ).stdout


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    root = str(Path(__file__).parent.parent)
    warehouse = {"CLERK_FULFILLMENT_WAREHOUSE": "auto", "CLERK_FULFILLMENT_AUTO_AFTER": "0"}  # ships at once
    return {**os.environ, "PYTHONPATH": root, **warehouse, **more}


@contextmanager
def _running(
    commands: Mapping[str, list[str]], folder: Path, environment: Mapping[str, str]
) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    processes: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for name, arguments in commands.items():
            with (folder / f"{name}.log").open("wb") as log:
                processes[name] = subprocess.Popen(  # noqa: S603  # our own command line
                    [sys.executable, "-m", "clerk_cli", *arguments],
                    cwd=folder, env=_environment(environment), stdout=log, stderr=log,
                )  # fmt: skip
        yield processes
    finally:
        for process in processes.values():
            process.terminate()
        for process in processes.values():
            _wait_or_kill(process)


def _wait_or_kill(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(STOPPED_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _until_ready(url: str) -> None:
    end = monotonic() + READY_WITHIN
    while monotonic() < end:
        try:
            if httpx.get(f"{url}/health/ready", timeout=2).status_code == 200:
                return
        except httpx.TransportError:
            pass
        sleep(0.02)
    raise TimeoutError(f"{url} is not ready after {READY_WITHIN:.0f} s")
