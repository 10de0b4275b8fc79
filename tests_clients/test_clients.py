"""The OpenAPI document passes the linters, and the clients that generators make of it play whole orders."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from threading import Thread

import pytest

from scenario_tests.api_client import ApiClient
from scenario_tests.up_harness import UpHarness
from scenario_tests.waiting import until
from tests_clients import tools

HERE = Path(__file__).parent
ENDS = {"happy": "completed - 2590", "declined": "failed card_declined 1295", "cancelled": "canceled - 1295"}
"""What is printed at the end: status, the failure's code, total."""
FREE_FORM = ("JsonObject", "ClerkDocument")
"""Objects whose members are not ours to say: whatever they hold is JSON."""


def test_redocly_finds_nothing(node: Path, document: Path) -> None:
    said = tools.run([node / "node_modules/.bin/redocly", "lint", "--config", HERE / "redocly.yaml", document], node)
    assert "warning" not in said, said


def test_spectral_finds_nothing(node: Path, document: Path) -> None:
    command: list[str | Path] = [node / "node_modules/.bin/spectral", "lint", "--fail-severity", "warn"]
    tools.run([*command, "--ruleset", HERE / "spectral.yaml", document], node)


def test_the_typescript_types_say_what_every_documented_member_is(typescript_client: Path) -> None:
    text = (typescript_client / "shop_clerk.d.ts").read_text()
    code = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    for name in FREE_FORM:
        code = re.sub(rf"^        {name}: \{{.*?^        \}};$", "", code, flags=re.DOTALL | re.MULTILINE)
    code = re.sub(
        r"(ShippingAddress: \{[^{}]*\} & \{\s*)\[key: string\]: unknown;", r"\1", code
    )  # and any others beside them
    code = code.replace("[name: string]: unknown;", "")  # an answer may have further headers
    assert re.findall(r"^.*\b(?:any|unknown)\b.*$", code, re.MULTILINE) == []


def test_the_python_types_say_what_every_documented_member_is(python_client: Path) -> None:
    loose = [
        f"{path.name}: {line.strip()}"
        for path in sorted((python_client / "shop_clerk_client" / "models").glob("*.py"))
        for line in path.read_text().splitlines()
        if re.match(r"    \w+: .*\bAny\b", line) and "additional_properties" not in line
    ]
    assert loose == []


@pytest.mark.parametrize("scene", ENDS)
def test_the_typescript_client_plays_an_order(shop: UpHarness, compiled: Path, scene: str) -> None:
    assert played(shop, ["node", compiled / "play.js", shop.url_of("shop"), scene], compiled) == ENDS[scene]


@pytest.mark.parametrize("scene", ENDS)
def test_the_python_client_plays_an_order(shop: UpHarness, python_client: Path, scene: str) -> None:
    python = python_client.parent / "bin" / "python"
    assert played(shop, [python, "play.py", shop.url_of("shop"), scene], python_client) == ENDS[scene]


@pytest.fixture(scope="module")
def compiled(node: Path, typescript_client: Path) -> Path:
    tools.run([node / "node_modules/.bin/tsc", "--project", typescript_client], typescript_client)
    return typescript_client


def played(shop: UpHarness, command: list[str | Path], folder: Path) -> str:
    """What the client printed; meanwhile the warehouse ships whatever it is asked for."""
    said: list[str] = []
    failed: list[BaseException] = []

    def play() -> None:
        try:
            said.append(tools.run(command, folder).strip())
        except (AssertionError, OSError, subprocess.SubprocessError) as error:
            failed.append(error)

    api = ApiClient(shop)
    playing = Thread(target=play)
    playing.start()
    until(lambda: ship_what_waits(api, playing), f"{command} ends", limit=120.0)
    playing.join()
    api.close()
    assert not failed, failed[0]
    return said[0]


def ship_what_waits(api: ApiClient, playing: Thread) -> bool:
    """Is the client done? Until then the warehouse ships."""
    key = api.harness.keys.warehouse
    for each in api.get("fulfillment", "/fulfillment/shipments", key)["data"]:
        api.try_post("fulfillment", f"/fulfillment/{each['session']}/ship", key, {"carrier": "Sled", "tracking": "1"})
    return not playing.is_alive()
