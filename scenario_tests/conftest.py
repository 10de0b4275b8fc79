"""Which harness the scenario tests run on: CLERK_STAGE=embedded (default) or services."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from scenario_tests.api_client import ApiClient
from scenario_tests.harness import Harness
from scenario_tests.shop import Shop

HARNESSES = ("embedded", "services")
_HERE = Path(__file__).parent
_numbers = count(1)


def harness_name() -> str:
    name = os.environ.get("CLERK_STAGE", "embedded")
    if name not in HARNESSES:
        raise pytest.UsageError(f"CLERK_STAGE is {name!r}: allowed are {' and '.join(HARNESSES)}")
    return name


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "embedded: runs on one process and its data folder only")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests for the other harness only are left out; on the services harness every test gets the marker `services`."""
    name = harness_name()
    ours = [item for item in items if item.path.parent in (_HERE, _HERE / "reported_faults")]
    left_out = [item for item in ours if item.get_closest_marker(_other(name))]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)
    if name == "services":
        for item in ours:
            item.add_marker("services")


def _other(name: str) -> str:
    return "services" if name == "embedded" else "embedded"


@pytest.fixture(scope="session")
def harness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """One running shop for all tests of a run."""
    folder = tmp_path_factory.mktemp("harness")
    running = _embedded(folder) if harness_name() == "embedded" else _services(folder)
    api = ApiClient(running)
    Shop(running, api, "").set_up()
    api.close()
    yield running
    running.close()


def _embedded(folder: Path) -> Harness:
    from scenario_tests.embedded_harness import EmbeddedHarness  # noqa: PLC0415  # each harness loads only what it needs

    return EmbeddedHarness(folder)


def _services(folder: Path) -> Harness:
    from scenario_tests.servers import attached_servers  # noqa: PLC0415  # each harness loads only what it needs
    from scenario_tests.services_harness import ServicesHarness  # noqa: PLC0415  # as above

    servers = attached_servers()
    if servers is None:
        reason = "CLERK_STAGE=services needs CLERK_TEST_BROKER_URL and CLERK_TEST_DATABASE_URL"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return ServicesHarness(servers, folder)


@pytest.fixture
def shop(harness: Harness) -> Iterator[Shop]:
    """The shop of the harness, with names of this test's own."""
    api = ApiClient(harness)
    yield Shop(harness, api, f"{next(_numbers)}")
    api.close()
    harness.recover()
