"""Whom a note names by @name is told of it until they have opened the order."""

from __future__ import annotations

import pytest

from shop_manager.dashboard.clerk_page import path_of
from shop_manager.dashboard.tests.browser_client import BrowserClient
from shop_manager.dashboard.tests.test_clerk_page import act
from shop_manager.operations.mentions import names_in
from shop_manager.tests.http_harness import HttpHarness

WORD = "You are named in"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("@nora: payment is called", ["nora"]),
        ("ask @nora, or @nils.", ["nora", "nils"]),
        ("(@nora) and @nora again", ["nora"]),
        ("ada@shop.test has called", []),
        ("@nora.petersen and @night-shift!", ["nora.petersen", "night-shift"]),
        ("@ nora @@nora", []),
        ("first line\n@nora", ["nora"]),
    ],
)
def test_names_stand_behind_an_at(text: str, names: list[str]) -> None:
    assert names_in(text) == names


def test_whoever_is_named_sees_it_until_the_order_was_opened(harness: HttpHarness) -> None:
    clerk = harness.opened()["id"]
    nora, nils = (BrowserClient(harness).logged_in("operator", name) for name in ("nora", "nils"))
    nils.get(path_of(clerk))
    act(nils, clerk, "note", reason="@Nora: the bank calls back at 9, @nils waits, @dhl too")
    assert WORD not in nils.text("/dashboard"), "who wrote it is not told"
    assert f"{WORD} 1 note" in nora.text("/dashboard")
    text = nora.text("/dashboard/named")
    assert "new nils: @Nora: the bank calls back at 9" in text and clerk in text
    nora.get(path_of(clerk))
    assert WORD not in nora.text("/dashboard")
    text = nora.text("/dashboard/named")
    assert "nils: @Nora: the bank calls back at 9" in text and "new nils" not in text
    nils.get(path_of(clerk))
    act(nils, clerk, "note", reason="@nora @nora still waiting")
    assert f"{WORD} 1 note" in nora.text("/dashboard")
    assert "No note names you." in nils.text("/dashboard/named")


def test_ops_lists_the_notes_that_name_the_caller(harness: HttpHarness) -> None:
    clerk = harness.opened()["id"]
    BrowserClient(harness).logged_in("viewer", "night")
    body = {"action": "note", "reason": "@night look at this"}
    headers = {"If-Match": f'"{harness.saga(clerk).version}"'}
    harness.call("POST", f"/ops/clerks/{clerk}/actions", "op_day", json=body, headers=headers)
    [line] = harness.get("/ops/mentions", "op_night").json()["data"]
    assert (line["clerk"], line["by"], line["text"]) == (clerk, "operator:day", "@night look at this")
    assert line["number"] == harness.saga(clerk).version and line["seen_at"] is None
    assert harness.get("/ops/mentions", "op_day").json()["data"] == []
