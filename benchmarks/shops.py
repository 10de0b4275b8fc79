"""Whole shops to measure: one embedded process, or five services on a RabbitMQ and PostgreSQL that are given."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep

import httpx
from sqlalchemy import create_engine

from messaging.database import check_url

SERVICES = ("shop_manager", "shop", "risk", "payment", "fulfillment")
READY_WITHIN = 60.0


@dataclass
class Measured:
    """A running shop: its address, its server key, and its processes by name. `ready_after` in seconds."""

    url: str
    server_key: str
    processes: dict[str, subprocess.Popen[bytes]]
    metrics: list[str]
    ready_after: float = 0.0
    logs: dict[str, Path] = field(default_factory=dict)

    def memory(self) -> dict[str, int]:
        """Resident memory of each process, in MiB."""
        return {name: _resident(process.pid) for name, process in self.processes.items()}

    def counters(self) -> dict[str, float]:
        """`clerk_statements_total` and the like, summed over the services."""
        sums: dict[str, float] = {}
        for address in self.metrics:
            for line in httpx.get(f"{address}/metrics").text.splitlines():
                if line.startswith("clerk_") and "_total{" in line:
                    name, value = line.split("{")[0], float(line.rsplit(" ", 1)[1])
                    sums[name] = sums.get(name, 0) + value
        return sums

    def cpu_seconds(self) -> float:
        """Processor time of all our processes so far."""
        ticks = os.sysconf("SC_CLK_TCK")
        stats = [
            Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
            for process in self.processes.values()
        ]
        return sum(int(stat[11]) + int(stat[12]) for stat in stats) / ticks


def _resident(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in status if line.startswith("VmRSS"))


@contextmanager
def embedded(folder: Path, *more: str) -> Iterator[Measured]:
    """`clerk up` with its data in `folder`/data; `more` are further flags of it."""
    port, began = free_port(), monotonic()
    arguments = ["up", "--port", str(port), "--data", str(folder / "data"), *more]
    with _running({"up": arguments}, folder, {}) as processes:
        url = f"http://127.0.0.1:{port}"
        _until_ready(url)
        key = json.loads((folder / "data" / "credentials.json").read_text())["server_key"]
        yield Measured(url, key, processes, [url], monotonic() - began)


@contextmanager
def services(folder: Path, broker_url: str, admin_url: str) -> Iterator[Measured]:
    """Five `clerk serve` processes; five new databases are made, and left, on the PostgreSQL of `admin_url`."""
    template = _new_databases(admin_url)
    ports = {service: free_port() for service in SERVICES}
    addresses = {service: f"http://127.0.0.1:{port}" for service, port in ports.items()}
    environment = {
        "CLERK_BROKER_URL": broker_url,
        "CLERK_DATABASE_URL": template,
        **{f"CLERK_{service.upper()}_URL": addresses[service] for service in SERVICES[1:]},
    }
    _clerk(["migrate"], folder, environment)
    key = json.loads(_clerk(["key", "create", "--scope", "server", "--json"], folder, environment))["key"]
    began = monotonic()
    commands = {service: ["serve", service, "--port", str(ports[service])] for service in SERVICES}
    with _running(commands, folder, environment) as processes:
        for address in addresses.values():
            _until_ready(address)
        took = monotonic() - began
        yield Measured(addresses["shop_manager"], key, processes, list(addresses.values()), took)


def stock_up(shop: Measured, sku: str, on_hand: int) -> None:
    """The shop, one article, and enough of it."""
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


def _new_databases(admin_url: str) -> str:
    prefix = f"bench_{os.getpid()}_"
    engine = create_engine(check_url(admin_url), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for service in SERVICES:
            connection.exec_driver_sql(f'CREATE DATABASE "{prefix}{service}"')
    engine.dispose()
    return f"{admin_url.rsplit('/', 1)[0]}/{prefix}{{service}}"


def _clerk(arguments: list[str], folder: Path, environment: Mapping[str, str]) -> str:
    command = [sys.executable, "-m", "clerk_cli", *arguments]
    return subprocess.run(  # noqa: S603  # our own command line
        command, cwd=folder, env=_environment(environment), check=True, capture_output=True, text=True
    ).stdout


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    root = str(Path(__file__).parent.parent)
    warehouse = {"CLERK_FULFILLMENT_WAREHOUSE": "auto", "CLERK_FULFILLMENT_AUTO_AFTER": "0"}  # no second of pretence
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
            process.wait(10)


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
