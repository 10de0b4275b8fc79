"""Everything that is checked, stage by stage; ends with one line a stage, and exit code 1 if any failed.

`run_tests.py` runs all stages, `run_tests.py NAME…` some: lint, types, unit, simulation, browser, services.
The services stage needs a RabbitMQ and a PostgreSQL: those at CLERK_TEST_BROKER_URL and CLERK_TEST_DATABASE_URL, else
private ones of this machine; the browser stage needs a Chromium. Root on Debian installs them first. Without any a
stage is skipped, but fails where CI=true.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # a script's own folder is on the path, the project's is not

from scenario_tests.servers import postgres, rabbit, wrong_clock  # noqa: E402  needs the line above
from scripts import debian  # noqa: E402  as above
from tests_browser import chromium  # noqa: E402  as above

NEED_SERVERS = "services or broker or database"
NEED_MORE = f"{NEED_SERVERS} or browser"
PYTEST = (sys.executable, "-m", "pytest", "-q")
ON_ALL_CORES = ("-n", "auto", "--maxprocesses", "4", "--dist", "loadfile")
"""More than four are no quicker: each has a shop of its own for the scenarios."""
PASSED, SKIPPED, INTERRUPTED = 0, -1, 130
ENDING_LIMIT = 60.0
"""Seconds for a stage to clean up after itself when we are told to end."""


def lint() -> int:
    checked = run([sys.executable, "-m", "ruff", "check", "--no-cache", "."])
    return run([sys.executable, "-m", "ruff", "format", "--check", "."]) or checked


def types() -> int:
    return run([sys.executable, "-m", "mypy", "--strict", "--explicit-package-bases", "."])


def unit() -> int:
    """Unit tests, and the scenarios on the embedded shop: no servers."""
    return run([*PYTEST, *ON_ALL_CORES, "-m", f"not ({NEED_MORE})"], {"CLERK_STAGE": "embedded"})


def simulation() -> int:
    """The whole shop in simulated time: fixed seeds, fresh ones, a crash at every call, SQLite files, wrong builds."""
    fresh = str(time.time_ns() // 1_000_000)  # a failure prints its seed, and the command that plays it again
    runs: Sequence[Sequence[str]] = (
        ("--seeds", "1000"),
        ("--seeds", "200", "--seed", fresh),
        ("--seeds", "1", "--exhaustive", "single", "--most", "600"),
        ("--seeds", "40", "--seed", "1000", "--sqlite"),
        ("--wrong-builds",),
    )
    codes = []
    for arguments in runs:
        say(f"clerk simulate {' '.join(arguments)}")
        codes.append(run([sys.executable, "-m", "clerk_cli", "simulate", *arguments]))
    return max(codes)


def services() -> int:
    """The scenarios on five processes, and whatever else needs a RabbitMQ or a PostgreSQL."""
    missing = _missing_servers()
    if missing:
        say(f"services stage {'failed' if _must_not_skip() else 'skipped'}: {missing}")
        return 1 if _must_not_skip() else SKIPPED
    inside = [sys.executable, str(ROOT / "scripts" / "run_tests.py"), "with-servers"]
    return run([sys.executable, "-m", "scenario_tests.servers", "run", "--", *inside])


def with_servers() -> int:
    """Inside the servers' run: what is marked, then all scenarios again on the services."""
    stage = {"CLERK_STAGE": "services"}
    marked = run([*PYTEST, "-m", NEED_SERVERS], stage)
    scenarios = run([*PYTEST, "-m", f"not ({NEED_SERVERS})", "scenario_tests"], stage)
    return marked or scenarios


def browser() -> int:
    """The dashboard in a real Chromium."""
    if chromium.installed() is None and debian.can_install():
        say("installing chromium")
        debian.install(["chromium"])
    if chromium.installed() is None:
        say(f"browser stage {'failed' if _must_not_skip() else 'skipped'}: chromium not installed")
        return 1 if _must_not_skip() else SKIPPED
    return run([*PYTEST, "-m", "browser", "tests_browser"])


STAGES: Mapping[str, Callable[[], int]] = {
    "lint": lint,
    "types": types,
    "unit": unit,
    "simulation": simulation,
    "browser": browser,
    "services": services,
}
PARTS: Mapping[str, Sequence[str]] = {"lint": ("lint", "types")}
"""`make lint` means both."""


def main(arguments: Sequence[str]) -> int:
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job begins with it ignored
    if list(arguments) == ["with-servers"]:
        return with_servers()
    names = [part for name in arguments for part in PARTS.get(name, (name,))] or list(STAGES)
    unknown = [name for name in names if name not in STAGES]
    if unknown:
        say(f"unknown stage {unknown[0]!r}: allowed are {', '.join(STAGES)}")
        return 2
    results: list[tuple[str, int, float]] = []
    for name in names:
        say(f"--- {name}")
        began = time.monotonic()
        results.append((name, STAGES[name](), time.monotonic() - began))
    say("---")
    for name, code, seconds in results:
        word = {PASSED: "passed", SKIPPED: "skipped"}.get(code, f"FAILED ({code})")
        say(f"{name:<12}{word:<12}{seconds:6.1f} s")
    return 1 if any(code not in (PASSED, SKIPPED) for _, code, _ in results) else 0


def run(command: Sequence[str], environment: Mapping[str, str] | None = None) -> int:
    """The command's exit code. When we are interrupted it is waited for: it has servers to stop."""
    everything = os.environ | dict(environment or {})
    child = subprocess.Popen(command, cwd=ROOT, env=everything)  # noqa: S603  our own command, no shell
    try:
        return child.wait()
    except KeyboardInterrupt:
        if not sys.stdin.isatty():  # a terminal has told it too
            child.send_signal(signal.SIGINT)
        _wait_for(child)
        raise SystemExit(INTERRUPTED) from None
    except SystemExit:
        child.terminate()
        _wait_for(child)
        raise


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _missing_servers() -> str | None:
    """Why there is no RabbitMQ and PostgreSQL to test with; None when there is, if need be after installing them."""
    if os.environ.get("CLERK_TEST_BROKER_URL") and os.environ.get("CLERK_TEST_DATABASE_URL"):
        return None
    missing = packages_missing()
    return f"{missing}, and CLERK_TEST_BROKER_URL and CLERK_TEST_DATABASE_URL are not both set" if missing else None


def packages_missing() -> str | None:
    """What private servers lack, in words; None when nothing, if need be after installing it.

    Wrong clocks are wished for too, but without them only their own tests cannot run.
    """
    if not wrong_clock.installed() and debian.can_install():
        say("installing libfaketime")
        debian.install(["libfaketime"])
    installed = {"rabbitmq-server": rabbit.installed, "postgresql": postgres.installed}
    missing = [package for package, there in installed.items() if not there()]
    if missing and debian.can_install():
        say(f"installing {' and '.join(missing)}")
        debian.install(missing)
        missing = [package for package, there in installed.items() if not there()]
    return f"{' and '.join(missing)} not installed" if missing else None


def _must_not_skip() -> bool:
    return os.environ.get("CI") == "true"


def _wait_for(child: subprocess.Popen[bytes]) -> None:
    try:
        child.wait(ENDING_LIMIT)
    except subprocess.TimeoutExpired:
        child.kill()


def _leave(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
