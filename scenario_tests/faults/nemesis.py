"""The nemesis (`make chaos`): round after round of faults against five processes under load, drawn by a seed.

A round draws one or two harms, fires them among a crowd of orders, mends what they broke, and waits until everybody has
gone home and all is quiet; then every invariant must hold. Private servers only:
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
from scenario_tests.faults.crowd import Crowd
from scenario_tests.faults.deck import Deck
from scenario_tests.faults.ground import Ground
from scenario_tests.faults.harm import Blow, Harm
from scenario_tests.faults.harms import ALL
from scenario_tests.faults.proof import QUIET_LIMIT, becomes_quiet, databases
from scenario_tests.faults.record import HELD
from scenario_tests.faults.rounds import Report, Round
from scenario_tests.servers import attached_servers
from scenario_tests.shop import Shop
from scenario_tests.stage import SERVICES
from scenario_tests.wire import Wire

FIRST = 10
"""Orders that are there before a fault fires; more come all the time."""
REPORTS = Path(".cache/chaos")
INTERRUPTED = 130


class Nemesis:
    """Plays rounds on a ground of its own until the time is up or one breaks."""

    def __init__(self, ground: Ground, report: Report) -> None:
        self.ground = ground
        self.report = report
        self._deck = Deck([harm for harm in ALL if harm.missing() is None], report.seed)
        self._wire = Wire(ground.stage)
        Shop(ground.stage, self._wire, "").furnish()

    def plays(self, minutes: float) -> None:
        """A round that has begun is played to its end. A broken one is the last: what it left is evidence."""
        end = monotonic() + minutes * 60
        while monotonic() < end and (not self.report.rounds or self.report.held):
            self._round(self._deck.draw(), len(self.report.rounds) + 1)

    def _round(self, harms: Sequence[Harm], number: int) -> None:
        one = Round(number, self.report.seed, [harm.name for harm in harms], [harm.row for harm in harms])
        blows = [Blow(self.ground, Random(f"{self.report.seed}/{number}/{harm.name}")) for harm in harms]
        crowd = Crowd(self.ground.stage, Shop(self.ground.stage, self._wire, f"round{number}"), number)
        try:
            self._fires(list(zip(harms, blows, strict=True)), crowd, one)
        except Exception as error:  # whatever it is, the round did not hold: it is told, and ends the run
            one.outcome = f"{type(error).__name__}: {error}"
        crowd.close()
        one.evidence = [each for blow in blows for each in blow.evidence]
        one.in_flight = len({clerk for blow in blows for clerk in blow.hit})
        one.orders = len(crowd.orders)
        self.report.add(one)
        _say(_told(one))

    def _fires(self, fired: Sequence[tuple[Harm, Blow]], crowd: Crowd, one: Round) -> None:
        crowd.comes(FIRST)
        with crowd.at_work():
            with ThreadPoolExecutor(len(fired)) as both:
                strikes = [both.submit(harm.strikes, blow) for harm, blow in fired]
            for strike in strikes:
                strike.result()
            self.ground.mend()
        mended = monotonic()
        for harm, blow in fired:
            assert blow.evidence, f"{harm.name}: the fault did not fire"
            assert blow.hit, f"{harm.name}: nothing was in flight: {blow.evidence}"
        crowd.goes_home(QUIET_LIMIT)
        becomes_quiet(self.ground.stage)
        one.seconds_to_quiet = round(monotonic() - mended, 2)
        one.drifts = [str(drift) for drift in verifier.check(databases(self.ground.stage))]
        one.outcome = HELD if not one.drifts else f"{len(one.drifts)} drifts"

    def close(self) -> None:
        self._wire.close()


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
    report = Report(folder, seed)
    _say(f"chaos: seed {seed}, {wanted.minutes:g} minutes, {len(ALL)} faults to draw from; report in {folder}")
    ground = Ground(servers, folder)
    nemesis = Nemesis(ground, report)
    try:
        nemesis.plays(wanted.minutes)
    except (KeyboardInterrupt, SystemExit):
        _ends_now(ground)
    nemesis.close()
    ground.close()
    _say(f"chaos: report in {report.write()}")
    _say(f"chaos: {len(report.rounds)} rounds, {'all held' if report.held else 'BROKEN'}; seed {seed}")
    return 0 if report.held else 1


def _ends_now(ground: Ground) -> NoReturn:
    """Who interrupts does not want to wait, nor to be told of the round that was under way; what it began is left."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    for service in SERVICES:
        ground.stage.kill(service)
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


def _told(one: Round) -> str:
    quiet = "" if one.seconds_to_quiet is None else f", quiet after {one.seconds_to_quiet:.1f} s"
    told = f"round {one.round}: {' + '.join(one.harms)}: {one.in_flight} in flight{quiet}"
    return (
        told if one.held else f"{told}\n  BROKE: {one.outcome}\n" + "\n".join(f"  {line}" for line in one.drifts[:20])
    )


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _leave(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
