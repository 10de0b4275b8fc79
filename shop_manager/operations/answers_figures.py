"""The models of the figures, and what their route says in the OpenAPI document (http_api/documented.py)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from http_api.answers import Answer, Moment
from http_api.documented import documented
from shop_manager.operations.answers import Count
from shop_manager.saga.state import EndStatus
from shop_manager.sessions.answers import StepName


class Bar(Answer):
    """What was opened and what ended in one stretch of time."""

    at: Moment
    opened: Count
    ended: Annotated[dict[str, int], Field(description="by status")]


class EndCount(Answer):
    """How many Clerks of a process came to one end."""

    process: str
    status: EndStatus
    count: Count


class FunnelStep(Answer):
    """How many Clerks came to a step, and how many got through it."""

    step: StepName
    asked: Count
    done: Count


class Funnel(Answer):
    """The way through one process."""

    process: str
    steps: list[FunnelStep]


class TurnTime(Answer):
    """How long whoever had the turn took at a step: the median, and what 95 of 100 keep to."""

    turn: Literal["customer", "service", "warehouse"]
    count: Count
    p50_ms: Count
    p95_ms: Count


class StepTime(Answer):
    """How long a step takes, from the answer before to its own, and how long each who has the turn; within 8 %."""

    process: str
    step: StepName
    count: Count
    p50_ms: Count
    p95_ms: Count
    turns: list[TurnTime]


class StuckStep(Answer):
    """How many became stuck at a step, a count for each of `at`."""

    step: str
    counts: list[Count]


class StuckHours(Answer):
    """How many became stuck at which step, in stretches of so many `hours`; `at` is when each begins."""

    hours: Count
    at: list[Moment]
    steps: list[StuckStep]


class Figures(Answer):
    """The figures of the last hours."""

    since: Moment
    now: Moment
    bucket_seconds: Count
    throughput: list[Bar]
    ends: list[EndCount]
    sampled: Annotated[int, Field(description="Clerks that `funnel` is of")]
    funnel: list[Funnel]
    step_times_since: Annotated[Moment | None, Field(description="from when on every step is counted")]
    step_times: list[StepTime]
    stuck: StuckHours


READ_FIGURES = documented(Figures, says="The figures.")
