"""Every base scenario, with a crash at each of the calls that leave a participant; then with two crashes (pairs)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from simulation.campaign import RunCases
from simulation.cases import Case, Result
from simulation.faults import FAULTS, Fault
from simulation.scenario import BEFORE_PIVOT, DIGITAL, MIXED, PRICES, Scenario, SimulatedOrder

PIECES = dict.fromkeys(PRICES, 50)
SEED = 1
"""One seed for all: what differs is where it crashes."""


def base_cases() -> list[Case]:
    """Happy; refused, cancelled and expired at each step; silent services; undos asked again; operators."""
    return [Case(name, scenario, SEED, faults) for name, (scenario, faults) in _base_scenarios().items()]


def _base_scenarios() -> Mapping[str, tuple[Scenario, Sequence[Fault]]]:
    found: dict[str, tuple[Scenario, Sequence[Fault]]] = {
        "happy": _one(SimulatedOrder()),
        "happy, turn by turn": _one(SimulatedOrder(brings=False)),
        "happy, shipped by hand": (Scenario("by hand", [SimulatedOrder()], warehouse="by_hand"), ()),
        "invoice": _one(SimulatedOrder(customer="grace")),
        "digital": _one(SimulatedOrder(shop=DIGITAL, items={"ALBUM": 1})),
        "both kinds": _one(SimulatedOrder(shop=MIXED, items={"BONE": 1, "ALBUM": 1})),
        "downloads of a shop that sells both": _one(SimulatedOrder(shop=MIXED, items={"ALBUM": 1})),
        "refused at shopping": _one(SimulatedOrder(items={"NOTHING-LIKE-IT": 1})),
        "refused at credit": (Scenario("poor", [SimulatedOrder(customer="ada")], limits={"ada": 1000}), ()),
        "refused at payment": _one(SimulatedOrder(token="tok_declined")),  # noqa: S106  a name, not a secret
        "refused at stock": (Scenario("empty shelves", [SimulatedOrder()], stock={**PIECES, "BONE": 0}), ()),
        "refused at capture": _one(SimulatedOrder(token="tok_capture_refused")),  # noqa: S106  as above
        "the void is asked anew": (
            Scenario("empty shelves", [SimulatedOrder()], stock={**PIECES, "BONE": 0}),
            _deaf_to_void(),
        ),
    }
    found |= _with_operator()
    for step in BEFORE_PIVOT:
        found[f"cancelled at {step}"] = _one(SimulatedOrder(calls_off_at=step))
        found[f"expired at {step}"] = _one(SimulatedOrder(expires_at=step))
    for step in ("credit", "payment", "stock"):
        found[f"silence at {step}"] = _one(SimulatedOrder(mutes=step))
    return found


def _one(order: SimulatedOrder) -> tuple[Scenario, Sequence[Fault]]:
    return Scenario("one order", [order]), ()


def _deaf_to_void(times: int = 6) -> list[Fault]:
    """The provider does not get the first voids: the undo is answered "failing", and asked again."""
    return [Fault(f"provider.provider.{number}", "deaf") for number in range(2, 2 + times)]


def _with_operator() -> dict[str, tuple[Scenario, Sequence[Fault]]]:
    """An operator finds the Clerk on the list of stuck ones: an undo that fails, a step without an answer."""
    empty = Scenario("empty shelves", [SimulatedOrder()], stock={**PIECES, "BONE": 0}, operator="retries")
    mute = Scenario("nobody captures", [SimulatedOrder(mutes="capture")], operator="retries")
    return {
        "an operator retries a failing undo": (empty, _deaf_to_void(13)),
        "an operator retries what is not answered": (mute, ()),
    }


def with_crash(results: Iterable[Result]) -> Iterator[Case]:
    """Each of these cases with one more crash, at each injection point that it passed where a process can end.

    Only after the last crash that it has already: so each pair of crashes is made once.
    """
    for result in results:
        case, after = result.case, _last_crash(result)
        for point, occasion in result.passed[after:]:
            if "crash" in FAULTS[point]:
                faults = [*(case.faults or ()), Fault(occasion, "crash")]
                yield replace(case, name=f"{case.name}, crash at {occasion}", faults=faults)


def _last_crash(result: Result) -> int:
    crashes = {fault.occasion for fault in result.injected if fault.kind == "crash"}
    places = [number for number, (_, occasion) in enumerate(result.passed, start=1) if occasion in crashes]
    return max(places, default=0)


def thinned(cases: Sequence[Case], most: int | None) -> list[Case]:
    """At most so many of them, evenly spread; all when there is no limit."""
    if most is None or len(cases) <= most:
        return list(cases)
    return [cases[number * len(cases) // most] for number in range(most)]


def single_crashes(run_cases: RunCases) -> list[Case]:
    """The base cases themselves and each with one crash. `run_cases` must keep the points."""
    plain = list(run_cases(base_cases()))
    return [*(result.case for result in plain), *with_crash(plain)]


def crash_pairs(run_cases: RunCases) -> Iterator[Case]:
    """Each base case with every two crashes: hundreds of thousands. `run_cases` must keep the points."""
    return with_crash(run_cases(with_crash(list(run_cases(base_cases())))))
