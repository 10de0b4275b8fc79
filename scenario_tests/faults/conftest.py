"""The environment in which faults are injected, and the selection of tests that a run plays (selection.py)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from scenario_tests.api_client import ApiClient
from scenario_tests.faults.environment import Environment
from scenario_tests.faults.load_generator import LoadGenerator
from scenario_tests.faults.selection import USUAL_COST, choose, wanted
from scenario_tests.servers import Servers, attached_servers
from scenario_tests.services_harness import TREE, ServicesHarness
from scenario_tests.shop import Shop

_HERE = Path(__file__).parent
_WANTED = wanted()
_seeds = count(_WANTED.seed or 0)
_played: list[Environment] = []
"""Filled once a fault test was really played: a run that only collects them has no seed to tell."""


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "cost(seconds, kind): what a fault test takes, and what it is one of")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    ours = {item.nodeid: item for item in items if item.path.parent == _HERE and item.get_closest_marker("services")}
    costs = {name: _cost(item) for name, item in ours.items()}
    kinds = {name: _kind(item) for name, item in ours.items()}
    chosen = choose(costs, kinds, _WANTED)
    if len(ours) > 1:  # who asks for one test gets it
        left_out = [item for name, item in ours.items() if name not in chosen]
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)


def _cost(item: pytest.Item) -> float:
    marker = item.get_closest_marker("cost")
    return float(marker.args[0]) if marker else USUAL_COST


def _kind(item: pytest.Item) -> str:
    marker = item.get_closest_marker("cost")
    return str(marker.args[1]) if marker and len(marker.args) > 1 else item.nodeid.partition("[")[0]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """At the end, where a quiet run shows it too."""
    if _played:
        terminalreporter.write_line(f"fault tests: {_WANTED}; again: {_WANTED.again}")


@pytest.fixture(scope="package")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    """Five processes of these tests' own, gone again before other tests begin."""
    servers = attached_servers()
    if servers is None or not servers.broker.available or not servers.postgres.available:
        reason = "faults need servers of our own: python -m scenario_tests.servers run -- pytest scenario_tests/faults"
        if os.environ.get("CI") == "true" and servers is None:
            pytest.fail(reason)
        pytest.skip(reason)
    running = started_environment(servers, tmp_path_factory.mktemp("faults"))
    _played.append(running)
    yield running
    running.close()


def started_environment(servers: Servers, folder: Path, tree: Path = TREE) -> Environment:
    """An environment whose shop is set up; `tree` is the source of the version that it begins with."""
    environment = Environment(servers, folder, tree)
    api = ApiClient(environment.harness)
    Shop(environment.harness, api, "").set_up()
    api.close()
    return environment


@pytest.fixture
def harness(environment: Environment) -> Iterator[ServicesHarness]:
    """The harness of the environment, mended after each test."""
    yield environment.harness
    environment.mend()


@pytest.fixture
def load(environment: Environment, shop: Shop) -> Iterator[LoadGenerator]:
    load = LoadGenerator(environment.harness, shop, next(_seeds))
    yield load
    load.close()
