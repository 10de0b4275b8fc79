"""The page of checks: every invariant, whether it held at the last `clerk verify`, and each drift with its repair."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

from fastapi import APIRouter, Request, Response

from domain.invariants import INVARIANTS
from shop_manager.dashboard.shell import Shell
from shop_manager.dashboard.words import Word
from shop_manager.operations.reads import Reads

HOLDS = Word("holds", "check", "good")
UNSEEN = Word("not checked yet", "dot", "quiet")
ELSEWHERE = {
    "on request": Word("with clerk verify --secrets", "dot", "quiet"),
    "fault runs": Word("in fault runs only", "dot", "quiet"),
}


class Invariant(NamedTuple):
    name: str
    meaning: str
    state: Word
    drifts: int


def checks_page(router: APIRouter, shell: Shell, reads: Reads) -> None:
    @router.get("/checks")
    def checks(request: Request) -> Response:
        latest = reads.checks()["latest"]
        return shell.page(request, "checks.html", latest=latest, invariants=invariants(latest))


def invariants(latest: Mapping[str, Any] | None) -> list[Invariant]:
    """All of them, in order, with what the last check found."""
    drifts = Counter(each["invariant"] for each in latest["drifts"]) if latest else Counter[str]()
    return [
        Invariant(name, meaning, _state(where, drifts[name], latest is not None), drifts[name])
        for name, (meaning, where) in INVARIANTS.items()
    ]


def _state(where: str, drifts: int, looked: bool) -> Word:
    if drifts:
        return Word("broken", "alert", "bad")
    if where in ELSEWHERE:
        return ELSEWHERE[where]
    return HOLDS if looked else UNSEEN
