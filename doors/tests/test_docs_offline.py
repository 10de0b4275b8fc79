"""The documentation works offline, from the assets we ship, and says which errors and keys there are."""

from __future__ import annotations

import hashlib
import re
from importlib import resources

from doors.tests.bench import Bench


def test_the_page_uses_nothing_but_our_own_assets_and_no_inline_script(bench: Bench) -> None:
    answer = bench.call("GET", "/docs")
    assert answer.status_code == 200
    assert "http://" not in answer.text and "https://" not in answer.text
    assert re.findall(r"<script(?![^>]*\bsrc=)", answer.text) == []
    assert "script-src" not in answer.headers["content-security-policy"]
    used = re.findall(r'(?:src|href)="(docs/[^"]+)"', answer.text)
    assert len(used) == 4
    for path in used:
        asset = bench.call("GET", f"/{path}")
        assert (asset.status_code, len(asset.content) > 100) == (200, True)
        assert asset.headers["content-type"].startswith("text/css" if path.endswith(".css") else "text/javascript")


def test_no_other_file_can_be_fetched(bench: Bench) -> None:
    for name in ("../keys.py", "%2e%2e%2fkeys.py", "nothing.js", "__init__.py"):
        assert bench.call("GET", f"/docs/assets/{name}").status_code == 404


def test_third_party_files_are_those_that_we_looked_at() -> None:
    assets = resources.files("doors").joinpath("assets")
    listed = dict(re.findall(r"^\| (\S+) \| ([0-9a-f]{64}) \|$", assets.joinpath("THIRD_PARTY.md").read_text(), re.M))
    found = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in assets.iterdir()}
    ours = {"THIRD_PARTY.md", "docs.js", "docs.css"}
    assert {name: hashed for name, hashed in found.items() if name not in ours} == listed


def test_the_frameworks_own_pages_are_off(bench: Bench) -> None:
    assert bench.call("GET", "/redoc").status_code == 404
    assert bench.call("GET", "/docs/").status_code == 404


def test_the_openapi_document_names_our_errors_and_keys(bench: Bench) -> None:
    document = bench.call("GET", "/openapi.json").json()
    assert document["info"]["title"] == "Shop Clerk: bench"
    assert set(document["components"]["securitySchemes"]) >= {"bearer", "server_key", "warehouse_key", "operator_key"}
    operations = [operation for item in document["paths"].values() for operation in item.values()]
    for operation in operations:
        assert operation["responses"]["default"]["content"].keys() == {"application/problem+json"}
        assert "422" not in operation["responses"]
    assert "HTTPValidationError" not in str(document)
    assert document["paths"]["/only/server"]["get"]["security"] == [{"server_key": []}]
    assert bench.call("GET", "/openapi.json").json() == document
