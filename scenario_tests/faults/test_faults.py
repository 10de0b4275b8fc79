"""Each fault alone, under load: it fires with work in flight; then all orders end as expected, all invariants hold."""

from __future__ import annotations

import os
from random import Random

import pytest

from scenario_tests.faults.environment import Environment
from scenario_tests.faults.fault import Fault, Injection
from scenario_tests.faults.final_checks import QUIET_LIMIT, becomes_quiet, holds
from scenario_tests.faults.kinds import ALL
from scenario_tests.faults.load_generator import LoadGenerator
from scenario_tests.faults.record import recorded
from scenario_tests.services_harness import ServicesHarness

pytestmark = pytest.mark.services


@pytest.mark.parametrize(
    "fault", [pytest.param(each, id=each.name, marks=pytest.mark.cost(each.cost, each.row)) for each in ALL]
)
def test_nothing_is_lost_or_done_twice(
    fault: Fault, environment: Environment, harness: ServicesHarness, load: LoadGenerator
) -> None:
    if (missing := fault.missing()) is not None:
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    injection = Injection(environment, Random(fault.name))
    with recorded(fault, injection) as timer:
        load.opens_orders(10)
        with load.running():
            fault.inject(injection)
            environment.mend()
        timer.over()
        assert injection.evidence, "the fault did not fire"
        assert injection.hit, f"nothing was in flight: {injection.evidence}"
        load.all_end(QUIET_LIMIT)
        becomes_quiet(harness)
        timer.quiet()
        holds(harness)
