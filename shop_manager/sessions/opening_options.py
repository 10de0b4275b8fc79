"""The settings that opening a session needs; they are set in shop_manager/settings.py."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class GuestLimits:
    """What callers without an access key may open (security S5).

    `per_address`: sessions of one address that may be ordered at the same time. `per_hour`: sessions of all guests
    within an hour; `bytes_per_hour`: what these may leave in the databases.
    """

    per_address: int = 500
    per_hour: int = 20_000
    bytes_per_hour: int = 400_000_000

    @property
    def per_network(self) -> int:
        """All addresses of one IPv6 /48 together."""
        return 4 * self.per_address

    def share(self, whole: int) -> int:
        """What one network may have of the whole hour, so that none of them leaves nothing for the others."""
        return max(1, whole // 10)


@dataclass(frozen=True, slots=True)
class OpeningOptions:
    """`default_shop`: the shop of sessions that name none. `session_seconds`: the time until the pivot, if the client
    asks for no other. `outbox_bound`: no new sessions while more deliveries than this wait for the broker.
    """

    default_shop: str
    session_seconds: float
    outbox_bound: int
    guests: GuestLimits = field(default_factory=GuestLimits)
