"""What a process holds on to: connections, threads, files and memory (I17), as the operating system counts them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from scenario_tests.faults.environment import SERVERS, Environment
from scenario_tests.harness import SERVICES

SLACK = {"connections": 6, "threads": 6, "files": 7, "memory": 24}
"""Pools fill up to their size, threads and connections come and go with the requests; caches and the allocator's arenas
fill for a while (MiB). A leak of one a round goes past it in eight rounds."""


@dataclass(frozen=True, slots=True)
class ResourceUse:
    """By one process. `memory`: resident, in MiB; `connections`: to its broker and its database."""

    process: int
    connections: int
    threads: int
    files: int
    memory: float


def held(environment: Environment) -> dict[str, ResourceUse]:
    return {service: _held(environment, service) for service in SERVICES}


def grown(before: Mapping[str, ResourceUse], now: Mapping[str, ResourceUse]) -> list[str]:
    """What has grown by more than SLACK, in one line each. A process that was restarted counts as grown."""
    return [line for service, first in before.items() for line in _grown(service, first, now[service])]


def _held(environment: Environment, service: str) -> ResourceUse:
    running = environment.harness.process(service).running
    assert running is not None, f"{service} does not run"
    proc = Path("/proc") / str(running.pid)
    resident = next(line for line in (proc / "status").read_text().splitlines() if line.startswith("VmRSS:"))
    return ResourceUse(
        process=running.pid,
        connections=sum(environment.proxy(service, server).connections for server in SERVERS),
        threads=len(list((proc / "task").iterdir())),
        files=len(list((proc / "fd").iterdir())),
        memory=int(resident.split()[1]) / 1024,
    )


def _grown(service: str, first: ResourceUse, now: ResourceUse) -> Iterator[str]:
    if first.process != now.process:
        yield f"{service}: another process, {now.process} instead of {first.process}"
    for what, slack in SLACK.items():
        was, has = getattr(first, what), getattr(now, what)
        if has > was + slack:
            yield f"{service}: {has:g} {what}, {was:g} before"
