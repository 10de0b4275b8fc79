"""A flood at ShopManager's door, and a migration while everybody works."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic

import httpx
from sqlalchemy import select

from scenario_tests.clerk_on_stage import ENDED
from scenario_tests.faults.callers import opens
from scenario_tests.faults.ground import Ground
from scenario_tests.faults.harm import Blow, Harm
from scenario_tests.stage import SERVICES
from scenario_tests.waiting import until
from shop_manager.store import clerks

FLOOD = 10.0
CALLERS = 12
ENDED_LIMIT = 180.0
"""Seconds until all sessions of a flood have ended: a slow machine took many of them in, and has to work them off."""
MIGRATIONS = 3
_ROOT = Path(__file__).parents[3]
_LATER = frozenset({429, 503})


def _flood(blow: Blow) -> None:
    """As many sessions a second as these callers and this machine can do. Each answer is a yes or a `come again`."""
    blow.finds_work()
    end = monotonic() + FLOOD
    with ThreadPoolExecutor(CALLERS) as callers:
        answered = [callers.submit(_knocks, blow.ground, end) for _ in range(CALLERS)]
        blow.lands(f"{CALLERS} callers at the door, as fast as they can")
    taken: set[str] = set()
    answers: Counter[int] = Counter()
    for each in answered:
        ids, statuses = each.result()
        taken |= ids
        answers += statuses
    assert set(answers) <= {201, *_LATER}, answers
    assert len(taken) == answers[201], "two sessions have the same id"
    told = ", ".join(f"{many} × {status}" for status, many in sorted(answers.items()))
    blow.evidence.append(f"{sum(answers.values()) / FLOOD:.0f} a second for {FLOOD:g} s: {told}")
    until(lambda: _have_ended(blow.ground, taken), "all that were taken in have ended", ENDED_LIMIT)


def _knocks(ground: Ground, end: float) -> tuple[set[str], Counter[int]]:
    """One caller: the sessions opened, and how often each status was answered."""
    taken: set[str] = set()
    answers: Counter[int] = Counter()
    with httpx.Client(timeout=60.0, trust_env=False) as client:
        while monotonic() < end:
            answer = opens(client, ground.stage)
            answers[answer.status_code] += 1
            if answer.status_code == 201:
                taken.add(answer.json()["id"])
            elif answer.status_code in _LATER:
                assert int(answer.headers["Retry-After"]) > 0
    return taken, answers


def _have_ended(ground: Ground, taken: set[str]) -> bool:
    with ground.stage.database("shop_manager").read() as tx:
        ended = {str(row.id) for row in tx.execute(select(clerks.c.id).where(clerks.c.status.in_(ENDED)))}
    return taken <= ended


def _migrated(blow: Blow) -> None:
    """`clerk migrate` finds nothing to do, and keeps nobody from working; what it changes is test_upgrade.py's."""
    blow.finds_work()
    for number in range(MIGRATIONS):
        done = subprocess.run(
            [sys.executable, "-m", "clerk_cli", "migrate", "--database", blow.ground.database_url],
            cwd=_ROOT,
            capture_output=True,
            text=True,
            timeout=60.0,
            check=False,
        )
        lines = done.stdout.splitlines()
        assert done.returncode == 0, done.stderr
        assert sum(line.endswith(" already") for line in lines) == len(SERVICES), done.stdout
        blow.lands(f"migrated for the {number + 1}. time: {lines[0]}")


HARMS = (
    Harm("flood", "a flood of sessions", _flood, 30.0),
    Harm("upgrade", "a migration under load", _migrated, 15.0),
)
