"""More requests than ShopManager can take, and a migration under load."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic

import httpx
from sqlalchemy import select

from scenario_tests.faults.clients import opens
from scenario_tests.faults.environment import Environment
from scenario_tests.faults.fault import Fault, Injection
from scenario_tests.harness import SERVICES
from scenario_tests.order_under_test import ENDED
from scenario_tests.waiting import until
from shop_manager.engine.tables import clerks

FLOOD = 10.0
CLIENTS = 12
ENDED_LIMIT = 180.0
"""Seconds until all sessions of a flood have ended: a slow machine accepts many and needs time to work them off."""
MIGRATIONS = 3
_ROOT = Path(__file__).parents[3]
_LATER = frozenset({429, 503})


def _flood(injection: Injection) -> None:
    """As many sessions a second as this machine can do. Each answer is 201, or 429 or 503 with Retry-After."""
    injection.waits_for_work()
    end = monotonic() + FLOOD
    with ThreadPoolExecutor(CLIENTS) as clients:
        answered = [clients.submit(_opens_sessions, injection.environment, end) for _ in range(CLIENTS)]
        injection.fired(f"{CLIENTS} clients at its HTTP API, as fast as they can")
    taken: set[str] = set()
    answers: Counter[int] = Counter()
    for each in answered:
        ids, statuses = each.result()
        taken |= ids
        answers += statuses
    assert set(answers) <= {201, *_LATER}, answers
    assert len(taken) == answers[201], "two sessions have the same id"
    told = ", ".join(f"{many} × {status}" for status, many in sorted(answers.items()))
    injection.evidence.append(f"{sum(answers.values()) / FLOOD:.0f} a second for {FLOOD:g} s: {told}")
    until(lambda: _have_ended(injection.environment, taken), "all that were taken in have ended", ENDED_LIMIT)


def _opens_sessions(environment: Environment, end: float) -> tuple[set[str], Counter[int]]:
    """One client: the sessions opened, and how often each status was answered."""
    taken: set[str] = set()
    answers: Counter[int] = Counter()
    with httpx.Client(timeout=60.0, trust_env=False) as client:
        while monotonic() < end:
            answer = opens(client, environment.harness)
            answers[answer.status_code] += 1
            if answer.status_code == 201:
                taken.add(answer.json()["id"])
            elif answer.status_code in _LATER:
                assert int(answer.headers["Retry-After"]) > 0
    return taken, answers


def _have_ended(environment: Environment, taken: set[str]) -> bool:
    with environment.harness.database("shop_manager").read() as tx:
        ended = {str(row.id) for row in tx.execute(select(clerks.c.id).where(clerks.c.status.in_(ENDED)))}
    return taken <= ended


def _migrated(injection: Injection) -> None:
    """`clerk migrate` finds nothing to do and blocks nobody. A migration that changes tables is in test_upgrade.py."""
    injection.waits_for_work()
    for number in range(MIGRATIONS):
        done = subprocess.run(
            [sys.executable, "-m", "clerk_cli", "migrate", "--database", injection.environment.database_url],
            cwd=_ROOT,
            capture_output=True,
            text=True,
            timeout=60.0,
            check=False,
        )
        lines = done.stdout.splitlines()
        assert done.returncode == 0, done.stderr
        assert sum(line.endswith(" already") for line in lines) == len(SERVICES), done.stdout
        injection.fired(f"migrated for the {number + 1}. time: {lines[0]}")


FAULTS = (
    Fault("flood", "a flood of sessions", _flood, 30.0),
    Fault("upgrade", "a migration under load", _migrated, 15.0),
)
