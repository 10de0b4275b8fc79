"""Every base scenario, with a crash at each of the calls that leave a participant; then with two crashes (pairs)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from simulation.campaign import Play
from simulation.cases import Case, Result
from simulation.faults import FAULTS, Fault
from simulation.scenario import BEFORE_PIVOT, DIGITAL, PRICES, Order, Scenario

PIECES = dict.fromkeys(PRICES, 50)
SEED = 1
"""One seed for all: what differs is where it crashes."""


def bases() -> list[Case]:
    """Happy, refused at each step, cancelled and expired at each step, silent services, undos asked anew."""
    return [Case(name, scenario, SEED, faults) for name, (scenario, faults) in _base_scenarios().items()]


def _base_scenarios() -> Mapping[str, tuple[Scenario, Sequence[Fault]]]:
    found: dict[str, tuple[Scenario, Sequence[Fault]]] = {
        "happy": _one(Order()),
        "happy, turn by turn": _one(Order(brings=False)),
        "happy, shipped by hand": (Scenario("by hand", [Order()], warehouse="by_hand"), ()),
        "invoice": _one(Order(customer="grace")),
        "digital": _one(Order(shop=DIGITAL, items={"ALBUM": 1})),
        "refused at shopping": _one(Order(items={"NOTHING-LIKE-IT": 1})),
        "refused at credit": (Scenario("poor", [Order(customer="ada")], limits={"ada": 1000}), ()),
        "refused at payment": _one(Order(token="tok_declined")),  # noqa: S106  a name, not a secret
        "refused at stock": (Scenario("empty shelves", [Order()], stock={**PIECES, "BONE": 0}), ()),
        "refused at capture": _one(Order(token="tok_capture_refused")),  # noqa: S106  as above
        "the void is asked anew": (Scenario("empty shelves", [Order()], stock={**PIECES, "BONE": 0}), _deaf_to_void()),
    }
    found |= _with_operator()
    for step in BEFORE_PIVOT:
        found[f"cancelled at {step}"] = _one(Order(calls_off_at=step))
        found[f"expired at {step}"] = _one(Order(expires_at=step))
    for step in ("credit", "payment", "stock"):
        found[f"silence at {step}"] = _one(Order(mutes=step))
    return found


def _one(order: Order) -> tuple[Scenario, Sequence[Fault]]:
    return Scenario("one order", [order]), ()


def _deaf_to_void(times: int = 6) -> list[Fault]:
    """The provider hears nothing of the first voids: the undo is answered "failing", and asked anew."""
    return [Fault(f"provider.provider.{number}", "deaf") for number in range(2, 2 + times)]


def _with_operator() -> dict[str, tuple[Scenario, Sequence[Fault]]]:
    """Somebody finds the Clerk on the list of what is stuck: an undo that fails, a step without an answer."""
    empty = Scenario("empty shelves", [Order()], stock={**PIECES, "BONE": 0}, operator="retries")
    mute = Scenario("nobody captures", [Order(mutes="capture")], operator="retries")
    return {
        "an operator retries a failing undo": (empty, _deaf_to_void(15)),
        "an operator retries what is not answered": (mute, ()),
    }


def with_crash(results: Iterable[Result]) -> Iterator[Case]:
    """Each of these cases with one more crash, at each port that it passed where a process can end.

    Only behind the last crash that it has already: each pair is made once.
    """
    for result in results:
        case, behind = result.case, _last_crash(result)
        for port, occasion in result.passed[behind:]:
            if "crash" in FAULTS[port]:
                faults = [*(case.faults or ()), Fault(occasion, "crash")]
                yield replace(case, name=f"{case.name}, crash at {occasion}", faults=faults)


def _last_crash(result: Result) -> int:
    crashes = {fault.occasion for fault in result.injected if fault.kind == "crash"}
    places = [number for number, (_, occasion) in enumerate(result.passed, start=1) if occasion in crashes]
    return max(places, default=0)


def thinned(cases: Sequence[Case], most: int | None) -> list[Case]:
    """At most so many of them, evenly spread; all where there is no limit."""
    if most is None or len(cases) <= most:
        return list(cases)
    return [cases[number * len(cases) // most] for number in range(most)]


def singles(play: Play) -> list[Case]:
    """The base cases themselves and each with one crash. `play` must keep the ports."""
    plain = list(play(bases()))
    return [*(result.case for result in plain), *with_crash(plain)]


def pairs(play: Play) -> Iterator[Case]:
    """Each base case with every two crashes: hundreds of thousands. `play` must keep the ports."""
    return with_crash(play(with_crash(list(play(bases())))))
