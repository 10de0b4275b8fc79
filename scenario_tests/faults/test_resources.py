"""I17: connections, threads, files and memory of every process are back to where they were, after many faults."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from scenario_tests.faults.environment import SERVERS, Environment
from scenario_tests.faults.final_checks import QUIET_LIMIT, holds
from scenario_tests.faults.load_generator import LoadGenerator
from scenario_tests.faults.resources import ResourceUse, grown, held
from scenario_tests.harness import SERVICES
from scenario_tests.services_harness import ServicesHarness
from scenario_tests.waiting import until

ROUNDS = 8
BACK_LIMIT = 60.0
"""Seconds; idle threads and connections are let go after some time only."""
BEFORE = {"shop": ResourceUse(process=7, connections=6, threads=20, files=30, memory=100.0)}


@pytest.mark.services
@pytest.mark.cost(60, "partition")
def test_I17_nothing_leaks_when_every_connection_is_cut_again_and_again(
    environment: Environment, harness: ServicesHarness, load: LoadGenerator
) -> None:
    _every_connection_is_cut(environment, load)
    before = held(environment)
    for _ in range(ROUNDS):
        _every_connection_is_cut(environment, load)
    until(
        lambda: not grown(before, held(environment)),
        lambda: "all is back to where it was: " + "; ".join(grown(before, held(environment))),
        BACK_LIMIT,
    )
    holds(harness)


def _every_connection_is_cut(environment: Environment, load: LoadGenerator) -> None:
    load.opens_orders(10)
    with load.running():
        for server in SERVERS:
            many = [proxy.connections for proxy in environment.all_proxies(server)]
            assert all(many), f"nothing to cut: {many}"
            for proxy in environment.all_proxies(server):
                proxy.cut()
    load.all_end(QUIET_LIMIT)
    for service in SERVICES:
        environment.harness.process(service).wait_ready()


@pytest.mark.parametrize(
    ("what", "has", "told"),
    [
        ("connections", 13, "shop: 13 connections, 6 before"),
        ("threads", 27, "shop: 27 threads, 20 before"),
        ("files", 38, "shop: 38 files, 30 before"),
        ("memory", 125.0, "shop: 125 memory, 100 before"),
        ("process", 8, "shop: another process, 8 instead of 7"),
    ],
)
def test_whatever_has_grown_is_told(what: str, has: float, told: str) -> None:
    assert grown(BEFORE, BEFORE) == []
    assert grown(BEFORE, {"shop": ResourceUse(**(asdict(BEFORE["shop"]) | {what: has}))}) == [told]
