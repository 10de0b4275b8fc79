"""Commands run inside the test process change how it logs, its umask, and which signals it hears: all are put back
after each test, also for the processes that later tests start. And a shop's databases without its processes.
"""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from clerk_cli.databases import files_in, opened
from clerk_cli.main import run
from clerk_cli.services import SERVICES, Service
from messaging.database import Database


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


@pytest.fixture
def data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A data folder with migrated databases."""
    assert run(["migrate", "--data", str(tmp_path)]) == 0
    capsys.readouterr()
    return tmp_path


@pytest.fixture
def databases(data: Path) -> Iterator[dict[Service, Database]]:
    with opened(dict.fromkeys(SERVICES, files_in(data))) as databases:
        yield databases
