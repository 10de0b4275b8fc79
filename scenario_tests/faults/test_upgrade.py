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

from messaging.migrated import current, head
from scenario_tests.api_client import ApiClient
from scenario_tests.faults.conftest import started_environment
from scenario_tests.faults.environment import Environment
from scenario_tests.faults.final_checks import QUIET_LIMIT, holds
from scenario_tests.faults.load_generator import LoadGenerator
from scenario_tests.harness import SERVICES
from scenario_tests.services_harness import TREE
from scenario_tests.shop import Shop
from scenario_tests.waiting import until

pytestmark = [pytest.mark.services, pytest.mark.cost(45, "upgrade")]

MIGRATIONS = ":(glob)shop_manager/migrations/versions/*.py"
SEEN_LIMIT = 30.0


@pytest.fixture
def older_tree(tmp_path: Path) -> Path:
    """The source as it was before the newest migration of ShopManager came."""
    newest = git("log", "-1", "--diff-filter=A", "--format=%H", "--", MIGRATIONS).decode().strip()
    if not newest:
        pytest.skip("an older version is taken from the repository's history, which is not here")
    tree = tmp_path / "older"
    with tarfile.open(fileobj=io.BytesIO(git("archive", f"{newest}^"))) as archive:
        archive.extractall(tree, filter="data")
    return tree


@pytest.fixture
def own_environment(environment: Environment, older_tree: Path, tmp_path: Path) -> Iterator[Environment]:
    """An environment of its own, on which the older version runs."""
    own = started_environment(environment.servers, tmp_path, older_tree)
    yield own
    own.close()


def git(*arguments: str) -> bytes:
    """What it says; nothing where there is no repository, or no git."""
    try:
        return subprocess.run(["git", *arguments], cwd=TREE, capture_output=True, check=False).stdout
    except FileNotFoundError:
        return b""


def test_two_versions_work_together_while_one_takes_the_others_place(own_environment: Environment) -> None:
    harness, api = own_environment.harness, ApiClient(own_environment.harness)
    load = LoadGenerator(harness, Shop(harness, api, "upgrade"), 1)
    load.opens_orders(10)
    with load.running():
        # Given the older version at work, on its own tables
        assert current(harness.database("shop_manager")) != head("shop_manager")
        # When the tables are migrated under its feet
        harness.migrate()
        assert current(harness.database("shop_manager")) == head("shop_manager")
        # And a ShopManager of the new version comes beside the old one
        with harness.another_manager() as url:
            for urls in ({}, {"shop_manager": url}):
                _takes_answers(own_environment, urls)
            # And one service after the other is replaced, the old ShopManager last
            for service in reversed(SERVICES):
                harness.process(service).tree = TREE
                own_environment.restart(service)
    # Then all orders end as they should
    load.all_end(QUIET_LIMIT)
    load.close()
    holds(harness)
    api.close()


def _takes_answers(environment: Environment, urls: dict[str, str]) -> None:
    """The ShopManager at these URLs handles some of the messages."""
    api = ApiClient(environment.harness, urls)
    shop = Shop(environment.harness, api, "")
    before = shop.messages_handled()
    until(lambda: shop.messages_handled() > before, f"{urls or 'the old one'} takes answers", SEEN_LIMIT)
    api.close()
