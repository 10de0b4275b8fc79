"""Each harm alone, under load: it fires with work in flight; then all orders end rightly, and every invariant holds."""

from __future__ import annotations

import os
from random import Random

import pytest

from scenario_tests.faults.crowd import Crowd
from scenario_tests.faults.ground import Ground
from scenario_tests.faults.harm import Blow, Harm
from scenario_tests.faults.harms import ALL
from scenario_tests.faults.proof import QUIET_LIMIT, becomes_quiet, holds
from scenario_tests.faults.record import recorded
from scenario_tests.services_stage import ServicesStage

pytestmark = pytest.mark.services


@pytest.mark.parametrize(
    "harm", [pytest.param(each, id=each.name, marks=pytest.mark.cost(each.cost, each.row)) for each in ALL]
)
def test_nothing_is_lost_or_done_twice(harm: Harm, ground: Ground, stage: ServicesStage, crowd: Crowd) -> None:
    if (missing := harm.missing()) is not None:
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    blow = Blow(ground, Random(harm.name))
    with recorded(harm, blow) as watch:
        crowd.comes(10)
        with crowd.at_work():
            harm.strikes(blow)
            ground.mend()
        watch.over()
        assert blow.evidence, "the fault did not fire"
        assert blow.hit, f"nothing was in flight: {blow.evidence}"
        crowd.goes_home(QUIET_LIMIT)
        becomes_quiet(stage)
        watch.quiet()
        holds(stage)
