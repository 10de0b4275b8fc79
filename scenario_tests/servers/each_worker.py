"""A plugin, `pytest -n 3 -p scenario_tests.servers.each_worker`: each worker of pytest-xdist has servers of its own.

So a test may stop them, fill their disk or block them, whatever the other workers play meanwhile. Where the environment
names servers, all workers would share these: there tests have to run one after the other (docs/decisions/105).
"""

from __future__ import annotations

import os
from contextlib import ExitStack

import pytest

from scenario_tests.servers import private_servers


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):  # else it is the process that hands out the tests
        running = ExitStack()
        os.environ.update(running.enter_context(private_servers()).environment())
        config.add_cleanup(running.close)
