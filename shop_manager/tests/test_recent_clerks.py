"""Clerks that this process wrote lately are not read and decoded again, and never taken for what is there now."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from messaging.database import Tx
from messaging.database_errors import ConcurrencyError
from shop_manager.engine import store
from shop_manager.engine.recent import RecentClerks
from shop_manager.engine.store import VersionedSaga
from shop_manager.saga.happenings import Amended, Cancelled
from shop_manager.tests.manager_harness import ManagerHarness


@pytest.fixture
def harness(tmp_path: Path) -> ManagerHarness:
    return ManagerHarness(tmp_path)


@contextmanager
def documents_read(harness: ManagerHarness) -> Iterator[list[str]]:
    """The statements that read a document."""
    found: list[str] = []

    def look(_connection: Any, _cursor: Any, text: str, *_others: Any) -> None:
        if text.startswith("SELECT") and "document" in text:
            found.append(text)

    event.listen(harness.database.engine, "before_cursor_execute", look)
    yield found
    event.remove(harness.database.engine, "before_cursor_execute", look)


def test_an_order_goes_through_without_reading_its_document_once(harness: ManagerHarness) -> None:
    clerk = harness.opens("clk_1")
    with documents_read(harness) as read:
        harness.plays_all()
    assert read == []
    assert harness.saga(clerk).status == "completed"


def test_what_another_process_has_written_is_read(harness: ManagerHarness, tmp_path: Path) -> None:
    other = ManagerHarness(tmp_path, harness.broker)
    clerk = harness.opens("clk_1")
    [question] = harness.sent()
    other.manager.execute(clerk, Amended({"name": "Ada L."}, "customer"))
    with documents_read(harness) as read:
        harness.hears(harness.replies(question))
    assert len(read) == 1
    assert harness.saga(clerk).document["customer"]["name"] == "Ada L."
    assert harness.saga(clerk).state_of("shopping") == "done"


def test_M3_a_reply_is_ignored_by_what_is_there_now(harness: ManagerHarness, tmp_path: Path) -> None:
    other = ManagerHarness(tmp_path, harness.broker)
    clerk = harness.opens("clk_1")
    [question] = harness.sent()
    other.manager.execute(clerk, Cancelled())
    harness.hears(harness.replies(question))
    with harness.database.read() as tx:
        [ignored] = store.read_ignored(tx, clerk)
    assert ignored["reason"] == "late: this step is being undone or is undone"


def test_what_was_rolled_back_is_not_remembered(harness: ManagerHarness) -> None:
    clerk = harness.opens("clk_1")
    [question] = harness.sent()
    with suppress(ConcurrencyError), harness.database.begin() as tx:
        harness.manager.handle(tx, [harness.replies(question)])
        raise ConcurrencyError
    assert harness.saga(clerk).state_of("shopping") == "asked"
    harness.hears(harness.replies(question))
    assert harness.plays_all()[-1] == "SettleCredit"


def test_a_copy_of_the_database_that_went_another_way_to_the_same_revision_is_read(harness: ManagerHarness) -> None:
    clerk = harness.opens("clk_1")
    recent = RecentClerks()
    with harness.database.begin() as tx:
        [here] = recent.lock_and_read(tx, [clerk])[1].values()
        recent.keep([here])
    harness.now += 1
    with harness.database.begin() as tx:
        elsewhere = [(harness.manager._decide(here.saga, Cancelled(), harness.now).saga, here.revision, here.digest)]
        store.write(tx, elsewhere, [])
        tx.connection.exec_driver_sql(f"UPDATE clerks SET revision = {here.revision}")
        assert recent.lock_and_read(tx, [clerk])[1][clerk].saga.status == "undoing"


@pytest.mark.parametrize(("most", "most_bytes"), [(2, 10**6), (100, 1_500)], ids=["by their number", "by their size"])
def test_only_so_many_are_remembered_those_written_last(harness: ManagerHarness, most: int, most_bytes: int) -> None:
    recent = RecentClerks(most, most_bytes)
    ids = [harness.opens(f"clk_{number}") for number in range(4)]
    with harness.database.begin() as tx:
        written = store.read(tx, ids)
        recent.keep(written.values())
        recent.keep([written["clk_2"], written["clk_1"]])
        assert which_are_remembered(recent, tx, ids, written) == ["clk_1", "clk_2"]


def which_are_remembered(recent: RecentClerks, tx: Tx, ids: list[str], kept: dict[str, VersionedSaga]) -> list[str]:
    _, read = recent.lock_and_read(tx, ids)
    return [clerk for clerk in ids if read[clerk] is kept[clerk]]


def test_one_that_has_ended_is_forgotten(harness: ManagerHarness) -> None:
    clerk = harness.opens("clk_1")
    harness.plays_all()
    assert harness.saga(clerk).ended
    assert list(harness.manager._recent._clerks) == []
    assert harness.manager._recent._bytes == 0
