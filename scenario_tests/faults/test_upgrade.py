"""From the version before the newest migration to this one, service by service, while customers order: both work
together, and nothing is lost or done twice.
"""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from messaging.migrations import current, head
from scenario_tests.faults.conftest import furnished
from scenario_tests.faults.crowd import Crowd
from scenario_tests.faults.ground import Ground
from scenario_tests.faults.proof import QUIET_LIMIT, holds
from scenario_tests.services_stage import TREE
from scenario_tests.shop import Shop
from scenario_tests.stage import SERVICES
from scenario_tests.waiting import until
from scenario_tests.wire import Wire

pytestmark = [pytest.mark.services, pytest.mark.cost(45, "upgrade")]

MIGRATIONS = ":(glob)*/migrations/versions/*.py"
SEEN_LIMIT = 30.0


@pytest.fixture
def older_tree(tmp_path: Path) -> Path:
    """The source as it was before its newest migration came."""
    newest = git("log", "-1", "--diff-filter=A", "--format=%H", "--", MIGRATIONS).decode().strip()
    if not newest:
        pytest.skip("an older version is taken from the repository's history, which is not here")
    tree = tmp_path / "older"
    with tarfile.open(fileobj=io.BytesIO(git("archive", f"{newest}^"))) as archive:
        archive.extractall(tree, filter="data")
    return tree


@pytest.fixture
def own_ground(ground: Ground, older_tree: Path, tmp_path: Path) -> Iterator[Ground]:
    """On which the older version runs."""
    own = furnished(ground.servers, tmp_path, older_tree)
    yield own
    own.close()


def git(*arguments: str) -> bytes:
    """What it says; nothing where there is no repository, or no git."""
    try:
        return subprocess.run(["git", *arguments], cwd=TREE, capture_output=True, check=False).stdout
    except FileNotFoundError:
        return b""


def test_two_versions_work_together_while_one_takes_the_others_place(own_ground: Ground) -> None:
    stage, wire = own_ground.stage, Wire(own_ground.stage)
    crowd = Crowd(stage, Shop(stage, wire, "upgrade"), 1)
    crowd.comes(10)
    with crowd.at_work():
        # Given the older version at work, on its own tables
        assert current(stage.database("shop_manager")) != head("shop_manager")
        # When the tables are migrated under its feet
        stage.migrate()
        assert current(stage.database("shop_manager")) == head("shop_manager")
        # And a ShopManager of the new version comes beside the old one
        with stage.another_manager() as door:
            for doors in ({}, {"shop_manager": door}):
                _takes_answers(own_ground, doors)
            # And one service after the other is replaced, the old ShopManager last
            for service in reversed(SERVICES):
                stage.process(service).tree = TREE
                own_ground.restart(service)
    # Then all orders end as they should
    crowd.goes_home(QUIET_LIMIT)
    crowd.close()
    holds(stage)
    wire.close()


def _takes_answers(ground: Ground, doors: dict[str, str]) -> None:
    """The ShopManager behind this door has some of the work."""
    wire = Wire(ground.stage, doors)
    shop = Shop(ground.stage, wire, "")
    before = shop.answers_taken_by_its_manager()
    until(lambda: shop.answers_taken_by_its_manager() > before, f"{doors or 'the old one'} takes answers", SEEN_LIMIT)
    wire.close()
