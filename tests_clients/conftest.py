"""One running shop, its OpenAPI document, and the tools, for all tests of this folder."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from scenario_tests.up_harness import UpHarness
from tests_clients import tools

_HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent == _HERE:
            item.add_marker("clients")


@pytest.fixture(scope="package", autouse=True)
def programs() -> None:
    lacking = tools.missing()
    if lacking and os.environ.get("CI") == "true":
        pytest.fail(f"no clients can be made: {lacking}")
    if lacking:
        pytest.skip(f"no clients can be made: {lacking}")


@pytest.fixture(scope="package")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UpHarness]:
    """`clerk up`; its warehouse waits to be told that the goods have left."""
    running = UpHarness(tmp_path_factory.mktemp("up") / "data")
    yield running
    running.close()


@pytest.fixture(scope="package")
def document(shop: UpHarness, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file with the OpenAPI document of the running shop."""
    found = httpx.get(f"{shop.url_of('shop')}/openapi.json", timeout=30.0, trust_env=False)
    path = tmp_path_factory.mktemp("document") / "openapi.json"
    path.write_text(json.dumps(found.json(), indent=1, ensure_ascii=False))
    return path


@pytest.fixture(scope="package")
def node() -> Path:
    return tools.node_tools()


@pytest.fixture(scope="package")
def typescript_client(node: Path, document: Path) -> Path:
    """The folder with the generated types, and with the orders that are played over them."""
    folder = node / "client"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(_HERE / "typescript", folder)
    tools.run([node / "node_modules/.bin/openapi-typescript", document, "-o", folder / "shop_clerk.d.ts"], folder)
    return folder


@pytest.fixture(scope="package")
def python_client(document: Path) -> Path:
    """The folder with the generated package, and with the orders that are played over it."""
    home = tools.python_tools()
    folder = home / "client"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(_HERE / "python", folder)
    command: list[str | Path] = [
        home / "bin" / "openapi-python-client",
        "generate",
        "--path",
        document,
        "--meta",
        "none",
    ]
    more: list[str | Path] = [
        "--config",
        folder / "generator.yaml",
        "--output-path",
        folder / "shop_clerk_client",
        "--fail-on-warning",
    ]
    tools.run([*command, *more], folder)
    return folder
