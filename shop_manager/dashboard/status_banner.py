"""What the banner above every page shows: whether any Clerk is stuck, the money at risk, and when that was read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from domain.times import from_wire
from shop_manager.operations.reads import Reads

BannerReader = Callable[[], dict[str, Any]]


def banner_reader(reads: Reads) -> BannerReader:
    """Returns a function that reads `{count, money_at_risk, money_to_settle: {currency: minor units}, checked_at: ms}`.

    It reads the index of stuck Clerks only.
    """
    return lambda: banner_of(reads.stuck())


def banner_of(stuck: Mapping[str, Any]) -> dict[str, Any]:
    """The banner of figures that were read already."""
    return {**stuck, "checked_at": from_wire(stuck["checked_at"])}
