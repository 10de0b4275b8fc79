"""A schedule: a case as a JSON file, to be kept and run again.

    {"name": …, "invariant": "I14", "seed": 1, "scenario": {…}, "faults": [{"at": "risk.commit.3", "fault": "crash"}]}

`scenario` has the fields of `Scenario`; those with their default values are left out. `invariant`: the one that was
broken when the case was found.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, asdict, fields
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config
from pydantic.dataclasses import dataclass

from simulation.cases import Case
from simulation.faults import FAULTS, Fault
from simulation.scenario import Scenario

MAX_BYTES = 1_000_000
KINDS = frozenset(kind for kinds in FAULTS.values() for kind in kinds)


class BadSchedule(ValueError):
    """The file is no schedule; the message is one line."""


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True)
class ScheduledFault:
    """One fault of a schedule."""

    at: str
    fault: str


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True)
class Schedule:
    """The content of the file."""

    name: str
    invariant: str | None
    seed: int
    scenario: Scenario
    faults: Sequence[ScheduledFault]

    def case(self) -> Case:
        return Case(self.name, self.scenario, self.seed, tuple(Fault(each.at, each.fault) for each in self.faults))


_READER = TypeAdapter(Schedule)


def faults_as_json(faults: Sequence[Fault]) -> list[dict[str, str]]:
    """The faults as JSON."""
    return [{"at": fault.occasion, "fault": fault.kind} for fault in faults]


def write_schedule(path: Path, case: Case, invariant: str | None) -> None:
    content = {
        "name": case.name,
        "invariant": invariant,
        "seed": case.seed,
        "scenario": _without_defaults(case.scenario),
        "faults": faults_as_json(case.faults or ()),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n")


def read_schedule(path: Path) -> Schedule:
    """BadSchedule says which file, which field, and what is wrong with it."""
    try:
        body = path.read_bytes()
        if len(body) > MAX_BYTES:
            raise BadSchedule(f"{path}: too large for a schedule")
        schedule = _READER.validate_json(body)
    except OSError as error:
        raise BadSchedule(f"{path}: {error.strerror}") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise BadSchedule(f"{path}: {where}: {first['msg']}") from None
    unknown = [each.fault for each in schedule.faults if each.fault not in KINDS]
    if unknown:
        raise BadSchedule(f"{path}: faults: {unknown[0]!r} is none: allowed are {', '.join(sorted(KINDS))}")
    return schedule


def _without_defaults(scenario: Scenario) -> Mapping[str, Any]:
    """The scenario as JSON, without fields that have their default values."""
    content = {name: value for name, value in asdict(scenario).items() if name != "rates"}
    content["orders"] = [_changed_fields(order) for order in scenario.orders]
    defaults = {each.name: _default_of(each) for each in fields(Scenario)}
    return {name: value for name, value in content.items() if value != defaults.get(name, MISSING)}


def _changed_fields(value: Any) -> dict[str, Any]:
    return {
        each.name: getattr(value, each.name) for each in fields(value) if getattr(value, each.name) != _default_of(each)
    }


def _default_of(each: Any) -> Any:
    return each.default_factory() if each.default_factory is not MISSING else each.default
