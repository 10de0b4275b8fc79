"""No read of a session shows an older version than one that was answered before, whichever ShopManager answers."""

from __future__ import annotations

from pathlib import Path

from shop_manager.tests.http_harness import SERVER, HttpHarness, waits


def test_who_has_seen_nothing_is_answered_at_once(harness: HttpHarness) -> None:
    session = harness.opened()
    answered = harness.get(session["links"]["self"], SERVER, Prefer="wait=30")
    assert (answered.status_code, answered.json()["version"]) == (200, session["version"])
    assert "preference-applied" not in answered.headers


def test_several_reads_never_show_an_older_version_whichever_shop_manager_answers(
    harness: HttpHarness, tmp_path: Path
) -> None:
    another = HttpHarness(tmp_path, harness.broker)
    session = harness.brings_all()
    seen = session["version"]
    for _ in range(20):
        for manager in (harness, another):
            path = session["links"]["self"]
            read = manager.get(path, SERVER).json()["version"]
            assert read >= seen
            seen = read
        commands = harness.sent()
        for command in commands:
            (harness, another)[seen % 2].answers(command)
    assert harness.session(session["id"])["status"] == "completed"


def test_a_wait_that_ends_says_what_another_shop_manager_has_told_already(harness: HttpHarness, tmp_path: Path) -> None:
    another = HttpHarness(tmp_path, harness.broker)
    session = harness.brings_all()
    [command] = harness.sent()
    harness.notifier._every = 30.0  # what others change is not noticed in this second
    told: list[int] = []

    def change() -> None:
        another.answers(command)
        told.append(another.session(session["id"])["version"])

    waited = harness.while_waiting("GET", session["links"]["self"], SERVER, change, headers=waits(session, 1))
    assert waited.status_code == 200
    assert waited.json()["version"] >= told[0] > session["version"]
