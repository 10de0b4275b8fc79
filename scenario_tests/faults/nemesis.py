"""The nemesis (`make chaos`): round after round of faults against five processes under load, drawn by a seed.

A round draws one or two faults, injects them while orders are under way, mends what they broke, and waits until all
orders have ended and nothing is in flight; then every invariant must hold. Private servers only:
`python -m scenario_tests.servers run -- python -m scenario_tests.faults.nemesis --minutes 30`.
"""

from __future__ import annotations

import argparse
import os
import secrets
import signal
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from time import monotonic
from types import FrameType
from typing import NoReturn

import verifier
from scenario_tests.api_client import ApiClient
from scenario_tests.faults.environment import Environment
from scenario_tests.faults.fault import Fault, Injection
from scenario_tests.faults.fault_schedule import FaultSchedule
from scenario_tests.faults.final_checks import QUIET_LIMIT, becomes_quiet, databases
from scenario_tests.faults.kinds import ALL
from scenario_tests.faults.load_generator import LoadGenerator
from scenario_tests.faults.record import HELD
from scenario_tests.faults.rounds import ChaosReport, Round
from scenario_tests.harness import SERVICES
from scenario_tests.servers import attached_servers
from scenario_tests.shop import Shop

FIRST = 10
"""Orders that are there before a fault fires; more come all the time."""
REPORTS = Path(".cache/chaos")
INTERRUPTED = 130


class Nemesis:
    """Plays rounds on an environment of its own until the time is up or one does not hold."""

    def __init__(self, environment: Environment, report: ChaosReport) -> None:
        self.environment = environment
        self.report = report
        self._schedule = FaultSchedule([fault for fault in ALL if fault.missing() is None], report.seed)
        self._api = ApiClient(environment.harness)
        Shop(environment.harness, self._api, "").set_up()

    def plays(self, minutes: float) -> None:
        """A round that has begun is played to its end. One that does not hold is the last: what it left is evidence."""
        end = monotonic() + minutes * 60
        while monotonic() < end and (not self.report.rounds or self.report.held):
            self._round(self._schedule.draw(), len(self.report.rounds) + 1)

    def _round(self, faults: Sequence[Fault], number: int) -> None:
        one = Round(number, self.report.seed, [fault.name for fault in faults], [fault.row for fault in faults])
        injections = [
            Injection(self.environment, Random(f"{self.report.seed}/{number}/{fault.name}")) for fault in faults
        ]
        load = LoadGenerator(
            self.environment.harness, Shop(self.environment.harness, self._api, f"round{number}"), number
        )
        try:
            self._play(list(zip(faults, injections, strict=True)), load, one)
        except Exception as error:  # whatever it is, the round did not hold: it is reported, and ends the run
            one.outcome = f"{type(error).__name__}: {error}"
        load.close()
        one.evidence = [each for injection in injections for each in injection.evidence]
        one.in_flight = len({clerk for injection in injections for clerk in injection.hit})
        one.orders = len(load.orders)
        self.report.add(one)
        _say(_summary(one))

    def _play(self, fired: Sequence[tuple[Fault, Injection]], load: LoadGenerator, one: Round) -> None:
        load.opens_orders(FIRST)
        with load.running():
            with ThreadPoolExecutor(len(fired)) as pool:
                running = [pool.submit(fault.inject, injection) for fault, injection in fired]
            for future in running:
                future.result()
            self.environment.mend()
        mended = monotonic()
        for fault, injection in fired:
            assert injection.evidence, f"{fault.name}: the fault did not fire"
            assert injection.hit, f"{fault.name}: nothing was in flight: {injection.evidence}"
        load.all_end(QUIET_LIMIT)
        becomes_quiet(self.environment.harness)
        one.seconds_to_quiet = round(monotonic() - mended, 2)
        one.violations = [str(violation) for violation in verifier.check(databases(self.environment.harness))]
        one.outcome = HELD if not one.violations else f"{len(one.violations)} drifts"

    def close(self) -> None:
        self._api.close()


def main(arguments: Sequence[str]) -> int:
    wanted = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job begins with it ignored
    servers = attached_servers()
    if servers is None or servers.state_file is None:
        _say("nemesis: it needs servers of its own: python -m scenario_tests.servers run -- python -m …nemesis")
        return 2
    seed = secrets.randbelow(1_000_000) if wanted.seed is None else wanted.seed
    folder = wanted.report or REPORTS / f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{seed}"
    report = ChaosReport(folder, seed)
    _say(f"chaos: seed {seed}, {wanted.minutes:g} minutes, {len(ALL)} faults to draw from; report in {folder}")
    environment = Environment(servers, folder)
    nemesis = Nemesis(environment, report)
    try:
        nemesis.plays(wanted.minutes)
    except (KeyboardInterrupt, SystemExit):
        _ends_now(environment)
    nemesis.close()
    environment.close()
    _say(f"chaos: report in {report.write()}")
    _say(f"chaos: {len(report.rounds)} rounds, {'all held' if report.held else 'BROKEN'}; seed {seed}")
    return 0 if report.held else 1


def _ends_now(environment: Environment) -> NoReturn:
    """End at once: the round that was under way is not reported, and its processes are killed."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    for service in SERVICES:
        environment.harness.kill(service)
    _say("chaos: interrupted; the rounds that were over are in the report's folder")
    os._exit(INTERRUPTED)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make chaos", description="Faults without end against the shop under load.")
    parser.add_argument("--minutes", type=_minutes, default=30.0, help="for how long rounds begin (0.1 to 1440)")
    parser.add_argument("--seed", type=int, help="draws the same faults again; a fresh one unless given")
    parser.add_argument("--report", type=Path, help="the folder of the report; one below .cache/chaos unless given")
    return parser


def _minutes(text: str) -> float:
    minutes = float(text)
    if not 0.1 <= minutes <= 1440:
        raise argparse.ArgumentTypeError(f"{text}: allowed are 0.1 to 1440")
    return minutes


def _summary(one: Round) -> str:
    quiet = "" if one.seconds_to_quiet is None else f", quiet after {one.seconds_to_quiet:.1f} s"
    told = f"round {one.round}: {' + '.join(one.faults)}: {one.in_flight} in flight{quiet}"
    return (
        told
        if one.held
        else f"{told}\n  BROKE: {one.outcome}\n" + "\n".join(f"  {line}" for line in one.violations[:20])
    )


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _leave(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
