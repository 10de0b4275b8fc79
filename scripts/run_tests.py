"""`make test`: everything that is checked. It ends with the names of the tests that failed, then one line a stage; exit
code 1 if any failed. A few tests that failed are played once more, alone: side by side they may have missed a limit.

`run_tests.py` runs all stages, `run_tests.py NAME…` some: lint, types, unit, simulation, scenarios, clients, faults,
browser, services. Most of them wait most of the time, so they run in three lanes side by side. `run_tests.py quick` is
what everyday work checks: lint, types, and the tests of the folders in QUICK.
The stages scenarios, services and faults need a RabbitMQ and a PostgreSQL: those at CLERK_TEST_BROKER_URL and
CLERK_TEST_DATABASE_URL, else private ones on this machine; the browser stage needs a Chromium, the clients stage node
and npm. As root on Debian they are installed first. Without them a stage is skipped, but fails where CI=true.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # a script's own folder is on the path, the project's is not

from scenario_tests.faults.selection import wanted  # noqa: E402  needs the line above
from scenario_tests.servers import BROKER_URL, DATABASE_URL, postgres, rabbit, wrong_clock  # noqa: E402  as above
from scripts import debian, nginx, prometheus  # noqa: E402  as above
from scripts.side_by_side import TESTS_FAILED, Stage, Terminal  # noqa: E402  as above
from tests_browser import chromium  # noqa: E402  as above
from tests_clients import tools  # noqa: E402  as above

NEED_SERVERS = "services or broker or database"
NEED_MORE = f"{NEED_SERVERS} or browser or clients"
OWN_SERVERS = (sys.executable, "-m", "scenario_tests.servers", "run", "--")
SCENARIOS = "scenario_tests"
FAULTS = f"{SCENARIOS}/faults"
QUICK = (
    "domain",
    "messaging",
    *(f"shop_manager/tests/test_{part}.py" for part in ("decide", "processes", "manager", "reports")),
    "payment_service",
    "risk_service",
    "fulfillment_service",
    "tests/test_house_rules.py",
)
"""Where a test takes milliseconds, and most rules of the business are."""
NOT_QUICK = "payment_service/tests/test_interleavings.py"
"""One test in those folders that takes twenty seconds."""
TWO_AT_ONCE = ("-n", "2", "--dist", "loadfile")
"""The tests of a file share a shop. Two workers beside the other lanes: more only make tests miss their limits."""
AGAIN_AT_MOST = 8
"""So many failed tests may have missed a limit because other stages played beside them; more are something else."""
PASSED, SKIPPED, INTERRUPTED = 0, -1, 130


def lint(stage: Stage) -> int:
    checked = stage.run([sys.executable, "-m", "ruff", "check", "--no-cache", "."])
    return stage.run([sys.executable, "-m", "ruff", "format", "--check", "."]) or checked


def types(stage: Stage) -> int:
    return stage.run([sys.executable, "-m", "mypy", "--strict", "--explicit-package-bases", "."])


def quick(stage: Stage) -> int:
    """The part of the unit tests that is worth its seconds after each change."""
    chosen = ["-m", f"not ({NEED_MORE})", f"--ignore={NOT_QUICK}", *QUICK]
    return stage.tests(chosen, {"CLERK_STAGE": "embedded"}, side_by_side=TWO_AT_ONCE)


def unit(stage: Stage) -> int:
    """Unit tests, and the scenarios on the embedded shop: no servers, but nginx and Prometheus if they are there."""
    for package, installed in {"nginx": nginx.installed, prometheus.PACKAGE: prometheus.installed}.items():
        if installed() is None and debian.can_install():
            debian.install([package])
    return stage.tests(["-m", f"not ({NEED_MORE})"], {"CLERK_STAGE": "embedded"}, side_by_side=TWO_AT_ONCE)


def simulation(stage: Stage) -> int:
    """The whole shop in simulated time: fixed seeds, fresh ones, a crash at every call, SQLite files, mutants."""
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
        stage.say(f"clerk simulate {' '.join(arguments)}")
        codes.append(stage.run([sys.executable, "-m", "clerk_cli", "simulate", *arguments]))
    return max(codes)


def scenarios(stage: Stage) -> int:
    """The scenarios on five processes, but the faults."""
    return _on_servers(stage, SCENARIOS, f"--ignore={FAULTS}")


def services(stage: Stage) -> int:
    """Whatever else needs a RabbitMQ or a PostgreSQL."""
    return _on_servers(stage, f"--deselect={SCENARIOS}/")


def _on_servers(stage: Stage, *where: str) -> int:
    if (missing := _missing_servers()) is not None:
        return _cannot(stage, missing)
    chosen, environment = ["-m", NEED_SERVERS, *where], {"CLERK_STAGE": "services"}
    return stage.tests(chosen, environment, alone=() if any(_given()) else OWN_SERVERS)


def faults(stage: Stage) -> int:
    """A selection of faults on five processes under load, which stops servers: it needs its own."""
    if any(_given()):
        stage.say("faults stage skipped: the servers that are given may not be stopped")
        return SKIPPED
    if (missing := _missing_servers()) is not None:
        return _cannot(stage, missing)
    which = wanted()
    stage.say(f"{which}; again: {which.again}")
    chosen = {} if which.seed is None else {"CLERK_FAULTS_SEED": str(which.seed)}
    return stage.tests(["-m", NEED_SERVERS, FAULTS], {"CLERK_STAGE": "services", **chosen}, alone=OWN_SERVERS)


def browser(stage: Stage) -> int:
    """The dashboard in a real Chromium."""
    if chromium.installed() is None and debian.can_install():
        debian.install(["chromium"])
    if chromium.installed() is None:
        return _cannot(stage, "chromium not installed")
    return stage.tests(["-m", "browser", "tests_browser"])


def clients(stage: Stage) -> int:
    """Linters look at the OpenAPI document, and the clients that generators make of it play orders."""
    if tools.missing() and debian.can_install():
        debian.install(["nodejs", "npm"])
    if (missing := tools.missing()) is not None:
        return _cannot(stage, missing)
    return stage.tests(["-m", "clients", "tests_clients"])


STAGES: Mapping[str, Callable[[Stage], int]] = {
    "lint": lint,
    "types": types,
    "quick": quick,
    "unit": unit,
    "simulation": simulation,
    "browser": browser,
    "clients": clients,
    "scenarios": scenarios,
    "services": services,
    "faults": faults,
}
LANES: Sequence[Sequence[str]] = (
    ("unit",),
    ("lint", "types", "scenarios", "clients", "faults", "simulation"),
    ("browser", "services"),
)
"""Side by side run the lanes, one after the other the stages of each."""
PARTS: Mapping[str, Sequence[str]] = {"lint": ("lint", "types"), "quick": ("lint", "types", "quick")}
"""`make lint` and `make quick` mean these."""


def main(arguments: Sequence[str]) -> int:
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job begins with it ignored
    terminal = Terminal()
    unknown = [name for name in arguments if name not in STAGES]
    if unknown:
        terminal.write("", f"unknown stage {unknown[0]!r}: allowed are {', '.join(STAGES)}")
        return 2
    lanes = chosen_lanes(arguments)
    terminal.side_by_side = len(lanes) > 1
    results = _play(lanes, terminal)
    terminal.write("", "---")
    for stage, _, _ in results:
        for line in stage.failed:
            terminal.write("", f"{stage.name}: {line}")
        for line in stage.passed_alone:
            terminal.write("", f"{stage.name}: passed when played again, alone: {line}")
    for stage, code, seconds in results:
        word = {PASSED: "passed", SKIPPED: "skipped"}.get(code, f"FAILED ({code})")
        terminal.write("", f"{stage.name:<12}{word:<12}{seconds:6.1f} s")
    return 1 if any(code not in (PASSED, SKIPPED) for _, code, _ in results) else 0


def chosen_lanes(names: Sequence[str]) -> list[list[str]]:
    """What each lane plays when these stages are asked for; without names everything that `make test` is."""
    asked = {part for name in names for part in PARTS.get(name, (name,))}
    lanes = [[name for name in lane if not names or name in asked] for lane in LANES]
    return [lane for lane in (*lanes, ["quick"] if "quick" in asked else []) if lane]


Result = tuple[Stage, int, float]
"""A stage, its exit code, and its seconds."""


def _play(lanes: Sequence[Sequence[str]], terminal: Terminal) -> list[Result]:
    with ThreadPoolExecutor(len(lanes)) as side_by_side:
        playing = [side_by_side.submit(_one_after_the_other, lane, terminal) for lane in lanes]
        try:
            results = [result for lane in playing for result in lane.result()]
            return results if len(lanes) == 1 else _again(results, terminal)
        except KeyboardInterrupt:
            terminal.end_all(signal.SIGINT, told=sys.stdin.isatty())  # on a terminal they have had the Ctrl-C too
            raise SystemExit(INTERRUPTED) from None
        except SystemExit:
            terminal.end_all(signal.SIGTERM, told=False)
            raise


def _again(results: Sequence[Result], terminal: Terminal) -> list[Result]:
    """The results once the failed tests of each stage, if they are few, have been played alone (docs/decisions/105)."""
    few = sum(len(stage.failed) for stage, _, _ in results) <= AGAIN_AT_MOST
    return [
        (stage, stage.failed_tests_again(), seconds) if few and stage.failed and code == TESTS_FAILED else result
        for result in results
        for stage, code, seconds in [result]
    ]


def _one_after_the_other(names: Sequence[str], terminal: Terminal) -> list[Result]:
    results: list[Result] = []
    for name in names:
        stage, began = Stage(name, terminal), time.monotonic()
        stage.say(f"--- {name}")
        results.append((stage, STAGES[name](stage), time.monotonic() - began))
    return results


def _given() -> tuple[bool, bool]:
    """Is the broker, is the PostgreSQL somebody else's? Then all tests share it, and none may stop it."""
    return bool(os.environ.get(BROKER_URL)), bool(os.environ.get(DATABASE_URL))


def _missing_servers() -> str | None:
    """Why there is no RabbitMQ and PostgreSQL to test with; None when there is, if need be after installing them."""
    missing = None if all(_given()) else packages_missing()
    return f"{missing}, and {BROKER_URL} and {DATABASE_URL} are not both set" if missing else None


def packages_missing() -> str | None:
    """Which packages the private servers lack, in words; None when none, if need be after installing them.

    libfaketime is installed too if possible, but without it only the tests with wrong clocks cannot run.
    """
    if not wrong_clock.installed() and debian.can_install():
        debian.install(["libfaketime"])
    installed = {"rabbitmq-server": rabbit.installed, "postgresql": postgres.installed}
    missing = [package for package, there in installed.items() if not there()]
    if missing and debian.can_install():
        debian.install(missing)
        missing = [package for package, there in installed.items() if not there()]
    return f"{' and '.join(missing)} not installed" if missing else None


def _cannot(stage: Stage, why: str) -> int:
    must = os.environ.get("CI") == "true"
    stage.say(f"{stage.name} stage {'failed' if must else 'skipped'}: {why}")
    return 1 if must else SKIPPED


def _leave(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
