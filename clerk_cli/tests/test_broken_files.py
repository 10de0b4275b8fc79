"""A file that breaks off while it is read has no end: whoever reads it over HTTP is told so."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import httpx
import pytest

from clerk_cli.http_server import HttpServer, bind, url_of
from shop_manager.operations import api
from shop_manager.tests.http_harness import HttpHarness


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_a_file_that_breaks_off_never_ends_properly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    harness = HttpHarness(tmp_path)
    for _ in range(3):
        harness.opened()
    monkeypatch.setattr(api, "PAGE", 1)
    broken = [False]
    page_of = harness.operations.reads.clerks

    def clerks(*given: Any, **named: Any) -> Any:
        if broken[0] and named["cursor"] is not None:
            raise ConnectionError("the database has gone")
        return page_of(*given, **named)

    monkeypatch.setattr(harness.operations.reads, "clerks", clerks)
    bound: socket.socket = bind("127.0.0.1", 0)
    server = HttpServer(harness.app, bound)
    server.start(limit=60.0)
    address = f"{url_of('127.0.0.1', bound)}/ops/clerks.{kind}"
    headers = {"Authorization": "Bearer op_night"}
    try:
        whole = httpx.get(address, headers=headers, timeout=60.0)
        assert whole.status_code == 200 and whole.text.count("clk_") == 3
        broken[0] = True
        came = list[bytes]()
        with httpx.stream("GET", address, headers=headers, timeout=60.0) as answer:
            chunks = answer.iter_bytes()
            with pytest.raises(httpx.RemoteProtocolError, match="incomplete chunked read"):
                came.extend(chunks)
        text = b"".join(came)
        assert text.count(b"clk_") == 1 and whole.content.startswith(text) and not text.endswith(b"]}\n")
    finally:
        server.stop()
