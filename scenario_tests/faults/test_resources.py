"""I17: connections, threads, files and memory of every process are back to where they were, after many faults."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from scenario_tests.faults.crowd import Crowd
from scenario_tests.faults.ground import SERVERS, Ground
from scenario_tests.faults.proof import QUIET_LIMIT, holds
from scenario_tests.faults.resources import Held, grown, held
from scenario_tests.services_stage import ServicesStage
from scenario_tests.stage import SERVICES
from scenario_tests.waiting import until

ROUNDS = 8
BACK_LIMIT = 60.0
"""Seconds; idle threads and connections are let go after some time only."""
BEFORE = {"shop": Held(process=7, connections=6, threads=20, files=30, memory=100.0)}


@pytest.mark.services
@pytest.mark.cost(60, "partition")
def test_I17_nothing_leaks_when_every_road_is_cut_again_and_again(
    ground: Ground, stage: ServicesStage, crowd: Crowd
) -> None:
    _every_road_is_cut(ground, crowd)
    before = held(ground)
    for _ in range(ROUNDS):
        _every_road_is_cut(ground, crowd)
    until(
        lambda: not grown(before, held(ground)),
        lambda: "all is back to where it was: " + "; ".join(grown(before, held(ground))),
        BACK_LIMIT,
    )
    holds(stage)


def _every_road_is_cut(ground: Ground, crowd: Crowd) -> None:
    crowd.comes(10)
    with crowd.at_work():
        for server in SERVERS:
            many = [road.connections for road in ground.all_roads(server)]
            assert all(many), f"nothing to cut: {many}"
            for road in ground.all_roads(server):
                road.cut()
    crowd.goes_home(QUIET_LIMIT)
    for service in SERVICES:
        ground.stage.process(service).wait_ready()


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
    assert grown(BEFORE, {"shop": Held(**(asdict(BEFORE["shop"]) | {what: has}))}) == [told]
