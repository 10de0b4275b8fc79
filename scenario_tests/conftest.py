"""Which stage the scenario tests play on: CLERK_STAGE=embedded (default) or services."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from scenario_tests.shop import Shop
from scenario_tests.stage import Stage
from scenario_tests.wire import Wire

STAGES = ("embedded", "services")
_HERE = Path(__file__).parent
_marks = count(1)


def stage_name() -> str:
    name = os.environ.get("CLERK_STAGE", "embedded")
    if name not in STAGES:
        raise pytest.UsageError(f"CLERK_STAGE is {name!r}: allowed are {' and '.join(STAGES)}")
    return name


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "embedded: plays on one process and its data folder only")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests that make sense on the other stage only are left out; on the services stage all bear its marker."""
    name = stage_name()
    ours = [item for item in items if item.path.parent == _HERE]
    left_out = [item for item in ours if item.get_closest_marker(_other(name))]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)
    if name == "services":
        for item in ours:
            item.add_marker("services")


def _other(name: str) -> str:
    return "services" if name == "embedded" else "embedded"


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One running shop for all tests of a run."""
    folder = tmp_path_factory.mktemp("stage")
    running = _embedded(folder) if stage_name() == "embedded" else _services(folder)
    wire = Wire(running)
    Shop(running, wire, "").furnish()
    wire.close()
    yield running
    running.close()


def _embedded(folder: Path) -> Stage:
    from scenario_tests.embedded_stage import EmbeddedStage  # noqa: PLC0415  # each stage loads only what it needs

    return EmbeddedStage(folder)


def _services(folder: Path) -> Stage:
    from scenario_tests.servers import attached_servers  # noqa: PLC0415  # each stage loads only what it needs
    from scenario_tests.services_stage import ServicesStage  # noqa: PLC0415  # as above

    servers = attached_servers()
    if servers is None:
        reason = "CLERK_STAGE=services needs CLERK_TEST_BROKER_URL and CLERK_TEST_DATABASE_URL"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return ServicesStage(servers, folder)


@pytest.fixture
def shop(stage: Stage) -> Iterator[Shop]:
    """The shop on the stage, with names of this test's own."""
    wire = Wire(stage)
    yield Shop(stage, wire, f"{next(_marks)}")
    wire.close()
