"""Who has a stuck Clerk, since when, and until when it is put off (docs/decisions/139). Pure."""

from __future__ import annotations

from typing import Any, NamedTuple

from domain.times import to_wire


class Claim(NamedTuple):
    """Moments in ms. `snoozed_until` may be over."""

    who: str
    who_key: str
    at: int
    snoozed_until: int | None = None

    def as_json(self, now: int) -> dict[str, Any]:
        """`{who, since, snoozed_until}`; a snooze that is over is none."""
        until = self.snoozed_until if self.snoozed_until and self.snoozed_until > now else None
        return {"who": self.who, "since": to_wire(self.at), "snoozed_until": None if until is None else to_wire(until)}
