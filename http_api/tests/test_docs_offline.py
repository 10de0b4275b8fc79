"""The documentation works offline, from the assets we ship, and says which errors and keys there are."""

from __future__ import annotations

import hashlib
import re
from importlib import resources

from http_api.tests.harness import HttpHarness


def test_the_page_uses_nothing_but_our_own_assets_and_no_inline_script(harness: HttpHarness) -> None:
    answer = harness.call("GET", "/docs")
    assert answer.status_code == 200
    assert "http://" not in answer.text and "https://" not in answer.text
    assert re.findall(r"<script(?![^>]*\bsrc=)", answer.text) == []
    assert "script-src" not in answer.headers["content-security-policy"]
    used = re.findall(r'(?:src|href)="(docs/[^"]+)"', answer.text)
    assert len(used) == 4
    for path in used:
        asset = harness.call("GET", f"/{path}")
        assert (asset.status_code, len(asset.content) > 100) == (200, True)
        assert asset.headers["content-type"].startswith("text/css" if path.endswith(".css") else "text/javascript")


def test_no_other_file_can_be_fetched(harness: HttpHarness) -> None:
    for name in ("../keys.py", "%2e%2e%2fkeys.py", "nothing.js", "__init__.py"):
        assert harness.call("GET", f"/docs/assets/{name}").status_code == 404


def test_third_party_files_are_those_that_we_looked_at() -> None:
    assets = resources.files("http_api").joinpath("assets")
    listed = dict(re.findall(r"^\| (\S+) \| ([0-9a-f]{64}) \|$", assets.joinpath("THIRD_PARTY.md").read_text(), re.M))
    found = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in assets.iterdir()}
    ours = {"THIRD_PARTY.md", "docs.js", "docs.css"}
    assert {name: hashed for name, hashed in found.items() if name not in ours} == listed


def test_the_frameworks_own_pages_are_off(harness: HttpHarness) -> None:
    assert harness.call("GET", "/redoc").status_code == 404
    assert harness.call("GET", "/docs/").status_code == 404


def test_the_openapi_document_names_our_errors_and_keys(harness: HttpHarness) -> None:
    document = harness.call("GET", "/openapi.json").json()
    assert document["info"]["title"] == "Shop Clerk: harness"
    schemes = {"server_key", "warehouse_key", "operator_key", "monitoring_key"}
    assert set(document["components"]["securitySchemes"]) == schemes
    operations = [operation for item in document["paths"].values() for operation in item.values()]
    for operation in operations:
        assert operation["responses"]["default"] == {"$ref": "#/components/responses/AnyOther"}
        assert "application/json" not in operation["responses"].get("422", {}).get("content", {})
    assert document["components"]["responses"]["AnyOther"]["content"].keys() == {"application/problem+json"}
    assert "HTTPValidationError" not in str(document)
    assert document["paths"]["/only/server"]["get"]["security"] == [{"server_key": []}]
    assert harness.call("GET", "/openapi.json").json() == document
