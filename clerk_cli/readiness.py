"""What `/health/ready` tells of this process's participants (ShopManager, services)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from messaging.health_check import HealthCheck
from messaging.participant import Participant


def checks(participants: Sequence[Participant]) -> dict[str, HealthCheck]:
    """Each check by its name; with several participants it is ok when it is ok for all of them.

    All are asked at once: together they take as long as the slowest database (`PING_WITHIN` at most).
    """
    found: dict[str, list[tuple[str, HealthCheck]]] = {}
    with ThreadPoolExecutor(max(1, len(participants)), thread_name_prefix="checks") as threads:
        answers = threads.map(lambda participant: participant.checks(), participants)
        for participant, answer in zip(participants, answers, strict=True):
            for name, check in answer.items():
                found.setdefault(name, []).append((participant.name, check))
    return {name: _all(each) for name, each in found.items()}


def _all(found: Sequence[tuple[str, HealthCheck]]) -> HealthCheck:
    if len(found) == 1:
        return found[0][1]
    bad = [f"{name}: {check.detail}" for name, check in found if not check.ok]
    ages = [check.age_seconds for _, check in found if check.age_seconds is not None]
    return HealthCheck(not bad, "; ".join(bad) or found[0][1].detail, max(ages, default=None))


def reason_not_ready(participants: Iterable[Participant]) -> str | None:
    """The first failing check of any of them, in one line; None when all are ready."""
    for participant in participants:
        for name, check in participant.checks().items():
            if not check.ok:
                return f"{participant.name}: {name}: {check.detail}"
    return None
