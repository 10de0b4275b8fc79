"""The power is cut: a shop starts on what its SQLite files had by then (docs/decisions/106).

Each image is drawn by its seed. `clerk repair` is run as the command that it is.
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from clerk_cli import main
from scenario_tests.api_client import ApiClient
from scenario_tests.crash_images import Recording, recorded
from scenario_tests.embedded_harness import EmbeddedHarness
from scenario_tests.shop import Shop
from scenario_tests.stepped_shop import SteppedShop, stepped_shop
from verifier import Violation, check

pytestmark = pytest.mark.embedded
SEEDS = range(6)


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """Orders of every end, and some that wait for their customers."""
    folder = tmp_path_factory.mktemp("recording")
    with _opened(folder / "running") as shop:
        shop.set_up()
        shop.stocks("BONE", 30)
        for name in ("ada", "bob", "eve"):
            shop.customer(name)
    shutil.copytree(folder / "running", folder / "before")
    with recorded(folder / "running") as recorder, _opened(folder / "running") as shop:
        ada, bob = shop.customer("ada", token="tok_ok"), shop.customer("bob")
        completed = [ada.orders({"BONE": 1}) for _ in range(2)]
        failed = shop.customer("eve", token="tok_capture_refused").orders({"BONE": 1})
        canceled = bob.orders({"BONE": 1}).waits_for("pay").cancels()
        paying = bob.orders({"BONE": 2}).waits_for("pay")
        for clerk in completed:
            clerk.gets_shipped().becomes("completed")
        failed.becomes("failed")
        canceled.becomes("canceled")
        bob.comes_in().fills_cart({"BONE": 1}).places_order().waits_for("pay")
        paying.pays().gets_shipped().becomes("completed")
        return recorder.recording(folder / "before")


@contextmanager
def _opened(folder: Path) -> Iterator[Shop]:
    harness = EmbeddedHarness(folder)
    api = ApiClient(harness)
    try:
        yield Shop(harness, api, "cut")
    finally:
        api.close()
        harness.close()


@pytest.mark.parametrize("seed", SEEDS)
def test_M1_where_commits_wait_for_the_disk_a_power_cut_takes_nothing(
    recording: Recording, seed: int, tmp_path: Path
) -> None:
    cuts = recording.cut_at_once(random.Random(seed))
    with stepped_shop(recording.image(cuts, tmp_path / "data")) as shop:
        assert shop.goes_on() is None
        assert violations(shop) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_where_they_do_not_wait_the_shop_comes_up_and_what_is_left_to_people_is_named(
    recording: Recording, seed: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cuts = recording.cut_anywhere(random.Random(seed))
    folder = recording.image(cuts, tmp_path / "data")
    # When each file has lost other commits, and the shop is started
    with stepped_shop(folder) as shop:
        # Then each order comes to rest
        assert shop.goes_on() is None
        found = violations(shop)
    repaired = repair(folder, capsys)
    # And the repairs put right what is safe; what they leave is what two files tell differently
    assert {act["state"] for act in repaired["acts"]} <= {"done"}
    with stepped_shop(folder) as shop:
        assert shop.goes_on() is None
        left = violations(shop)
    assert [each for each in left if each.repair.is_safe] == []
    assert {each.clerk for each in left} <= {each.clerk for each in found}


def violations(shop: SteppedShop) -> list[Violation]:
    return list(check(shop.databases, patience=0))


def repair(folder: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    capsys.readouterr()
    main.run(["repair", "--data", str(folder), "--json"])
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return told
