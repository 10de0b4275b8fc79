"""Connections never take the files that the process itself needs, whatever `ulimit -n` says (security S4)."""

from __future__ import annotations

import resource
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from clerk_cli.file_limit import OWN, room_for_connections
from clerk_cli.http_connections import BESIDE
from clerk_cli.tests.http_under_test import HALF, Caller
from clerk_cli.tests.processes import clerk

OTHERS = 100
RESERVE = OWN + BESIDE + OTHERS
HALVES = 400


class Limit:
    """What the system is asked for and told."""

    def __init__(self, soft: int, hard: int) -> None:
        self.now = (soft, hard)

    def get(self, _which: int) -> tuple[int, int]:
        return self.now

    def set(self, _which: int, limits: tuple[int, int]) -> None:
        self.now = limits


@pytest.mark.parametrize(
    ("soft", "hard", "room", "after"),
    [
        (1_000_000, 1_000_000, 4000, 1_000_000),
        (1024, 1_000_000, 4000, 4000 + RESERVE),
        (1024, resource.RLIM_INFINITY, 4000, 4000 + RESERVE),
        (1024, 2048, 2048 - RESERVE, 2048),
        (512, 512, 512 - RESERVE, 512),
        (100, 100, 25, 100),
        (resource.RLIM_INFINITY, resource.RLIM_INFINITY, 4000, resource.RLIM_INFINITY),
    ],
)
def test_S4_connections_take_what_the_limit_of_files_leaves(
    soft: int, hard: int, room: int, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = Limit(soft, hard)
    monkeypatch.setattr(resource, "getrlimit", limit.get)
    monkeypatch.setattr(resource, "setrlimit", limit.set)
    assert room_for_connections(4000, OTHERS) == room
    assert limit.now == (after, hard)


def test_S4_half_sent_requests_do_not_take_a_shop_down(tmp_path: Path) -> None:
    with clerk("up", "--port", "0", folder=tmp_path) as running, ExitStack() as opened:
        resource.prlimit(running.pid, resource.RLIMIT_NOFILE, (256, 256))
        url = running.url
        port = int(url.rpartition(":")[2])
        known = opened.enter_context(httpx.Client(base_url=url))
        assert known.get("/shop/products").status_code == 200
        halves = [Caller(port, HALF) for _ in range(HALVES)]
        for half in halves:
            opened.callback(half.close)
        found = halves[-1].problem()
        assert (found["status"], found["code"]) == (503, "overloaded")
        assert halves[0].problem()["code"] == "request_timeout"
        assert known.get("/shop/products").status_code == 200
        running.kill()
        assert len(running.errors) < 2000
        assert "Traceback" not in running.errors
