"""Restate: a workflow of seven durable steps: `python -m benchmarks.baselines.restate_peer`.

Its server keeps its log on disk; its Python SDK is served by Hypercorn, as its documentation has it.
"""

from __future__ import annotations

import asyncio
import atexit
import json
import os
import socket
import subprocess
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen
from uuid import uuid4

import hypercorn.asyncio
import hypercorn.config
import restate

from benchmarks.baselines.business import STEPS, Document
from benchmarks.baselines.conversation import converse
from benchmarks.baselines.peer_driver import (
    in_one_transaction,
    make_tables,
    opened_order,
    seconds_of,
    versions_of,
    wait_until_ended,
)
from benchmarks.baselines.processes import Workers

SERVER = os.environ["BENCH_RESTATE_SERVER"]
READY_WITHIN, AT_ONCE = 120.0, 16
workflow = restate.Workflow("Order")
_never = Event()


async def in_thread(step: str, document: Document) -> Document:
    return await asyncio.to_thread(in_one_transaction, step, document)


async def run(context: Any, document: Document) -> str:
    for step, _service in STEPS:
        document = await context.run_typed(step, in_thread, step=step, document=document)
    return str(document["clerk"]["id"])


main_handler: Any = workflow.main()
main_handler(run)
app = restate.app(services=[workflow])


def serve(port: int) -> None:
    """A worker process; all of them share the port."""
    config = hypercorn.config.Config()
    config.bind = [f"127.0.0.1:{port}"]
    config.h2_max_concurrent_streams = 2147483647
    config.accesslog = None
    asyncio.run(hypercorn.asyncio.serve(app, config))


def free_ports(count: int) -> list[int]:
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports


class RestatePlayer:
    """Orders are opened by sending the workflow's call to the server, which answers when it has it."""

    def __init__(self) -> None:
        self.versions = versions_of("restate-sdk", "hypercorn", "psycopg2-binary") | {"restate-server": _version()}
        make_tables()
        self._ingress, admin, node, endpoint = free_ports(4)
        self._workers, self._all = Workers(), 0
        self._workers.start(lambda: serve(endpoint))
        self.hold, self.let_go = self._workers.hold, self._workers.let_go
        self._server = subprocess.Popen(  # noqa: S603  # the one that was installed for it
            [SERVER, "--no-logo", "--listen-mode", "tcp"],
            env={
                **os.environ,
                "RESTATE_BASE_DIR": str(Path.cwd() / "restate"),
                "RESTATE_BIND_ADDRESS": f"127.0.0.1:{node}",
                "RESTATE_ADMIN__BIND_ADDRESS": f"127.0.0.1:{admin}",
                "RESTATE_INGRESS__BIND_ADDRESS": f"127.0.0.1:{self._ingress}",
                "RESTATE_DISABLE_TELEMETRY": "true",
                "RUST_LOG": "warn",
            },
            stdout=subprocess.DEVNULL,
        )
        atexit.register(self._server.kill)
        self._until_answered(f"http://127.0.0.1:{admin}/deployments", {"uri": f"http://127.0.0.1:{endpoint}"})

    def open(self, orders: int) -> None:
        for _ in range(orders):
            self._open()

    def wait(self) -> None:
        wait_until_ended(self._all, self._workers.require_all)

    def one(self) -> float:
        return seconds_of(self._open())

    def _open(self) -> str:
        document = opened_order(uuid4().hex)
        order = str(document["clerk"]["id"])
        post(f"http://127.0.0.1:{self._ingress}/Order/{order}/run/send", document)
        self._all += 1
        return order

    def _until_answered(self, url: str, body: Any) -> None:
        end = monotonic() + READY_WITHIN
        while True:
            try:
                post(url, body)
                return
            except (URLError, ConnectionError):
                if monotonic() > end or self._server.poll() is not None:
                    raise
                _never.wait(0.2)


def post(url: str, body: Any) -> None:
    headers = {"Content-Type": "application/json"}
    with urlopen(Request(url, json.dumps(body).encode(), headers), timeout=60) as answer:  # noqa: S310  # our own server
        answer.read()


def _version() -> str:
    command = [SERVER, "--version"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[-1]  # noqa: S603


if __name__ == "__main__":
    converse(RestatePlayer())
