"""Commands run inside the test process change how it logs, its umask, and which signals it hears: all are put back
after each test, also for the processes that later tests start. And a shop's databases without its processes.
"""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from shutil import copytree

import pytest
import structlog

from clerk_cli.databases import files_in, opened
from clerk_cli.services import SERVICES, Service
from messaging.database import Database
from messaging.migrations import migrate


@pytest.fixture(autouse=True)
def _process_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, umask = root.handlers[:], root.level, os.umask(0o022)
    unheard = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    os.umask(umask)
    signal.pthread_sigmask(signal.SIG_SETMASK, unheard)


@pytest.fixture(scope="session")
def new_shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with migrated databases, to be copied: to migrate takes longer than most tests."""
    folder = tmp_path_factory.mktemp("new_shop")
    with opened(dict.fromkeys(SERVICES, files_in(folder))) as databases:
        for service, database in databases.items():
            migrate(database, service.package)
    return folder


@pytest.fixture
def data(new_shop: Path, tmp_path: Path) -> Path:
    """A data folder with migrated databases."""
    return copytree(new_shop, tmp_path, dirs_exist_ok=True)


@pytest.fixture
def databases(data: Path) -> Iterator[dict[Service, Database]]:
    with opened(dict.fromkeys(SERVICES, files_in(data))) as databases:
        yield databases
