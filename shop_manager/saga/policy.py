"""The numbers by which `decide` decides: pauses, limits, how often an undo is tried, and the outages known. Pure.

They are set in shop_manager/settings.py; what each means, and its default, stands there. Only `resend_most_person` is
no setting: its one value is the default here.
"""

from __future__ import annotations

from dataclasses import dataclass

from domain.times import seconds


@dataclass(frozen=True, slots=True)
class Outage:
    """A time in which nobody took replies: deadlines that fell into it are not held against anyone (T5)."""

    start: int
    end: int

    def covers(self, moment: int) -> bool:
        return self.start < moment <= self.end


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Times in ms. `outages` are the latest ones known.

    `resend_most_person`: the longest pause while a customer or the warehouse has the turn (docs/decisions/009).
    """

    resend_first: int
    resend_most: int
    undo_tries: int
    grace: int
    step_limit_factor: float
    resend_most_person: int = seconds(3600)
    outages: tuple[Outage, ...] = ()

    def outage_over(self, moment: int) -> Outage | None:
        return next((outage for outage in self.outages if outage.covers(moment)), None)
