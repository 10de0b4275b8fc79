"""The page of checks: every invariant, whether it held at the last `clerk verify`, each violation with its repair."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

from fastapi import APIRouter, Request, Response

from domain.invariants import INVARIANTS
from shop_manager.dashboard.labels import Label
from shop_manager.dashboard.layout import Layout
from shop_manager.operations.reads import Reads

HOLDS = Label("holds", "check", "good")
NOT_CHECKED = Label("not checked yet", "dot", "quiet")
CHECKED_ELSEWHERE = {
    "on request": Label("with clerk verify --secrets", "dot", "quiet"),
    "fault runs": Label("in fault runs only", "dot", "quiet"),
}


class Invariant(NamedTuple):
    name: str
    meaning: str
    state: Label
    violations: int


def checks_page(router: APIRouter, layout: Layout, reads: Reads) -> None:
    @router.get("/checks")
    def checks(request: Request) -> Response:
        latest = reads.checks()["latest"]
        return layout.page(request, "checks.html", latest=latest, invariants=invariants(latest))


def invariants(latest: Mapping[str, Any] | None) -> list[Invariant]:
    """All of them, in order, with what the last check found. `latest` is None when there was no check yet."""
    violations = Counter(each["invariant"] for each in latest["drifts"]) if latest else Counter[str]()
    return [
        Invariant(name, meaning, _state(where, violations[name], checked=latest is not None), violations[name])
        for name, (meaning, where) in INVARIANTS.items()
    ]


def _state(where: str, violations: int, *, checked: bool) -> Label:
    if violations:
        return Label("broken", "alert", "bad")
    if where in CHECKED_ELSEWHERE:
        return CHECKED_ELSEWHERE[where]
    return HOLDS if checked else NOT_CHECKED
