"""Which places a call needs that waits for a session's changes, so that nobody takes all of them (security S4)."""

from __future__ import annotations

from collections.abc import Sequence

from http_api.places import Bound
from http_api.principals import Principal
from http_api.request import Origin

OF_SESSION = 8
"""With one client secret, or one access key, at one session: a stranger takes none of somebody else's."""
OF_KEY = 1000
CUSTOMERS = "customers"
OF_CUSTOMERS = 1500
"""All of them together: the others of a process (change_notifier.MOST) are left to access keys."""
PER_ADDRESS = 100
NETWORK_FACTOR = 4


def places_for(clerk: str, who: Principal, origin: Origin, per_address: int) -> Sequence[Bound]:
    """What the call has to find room under. Access keys count for themselves, wherever they call from."""
    credential = who.key_id or who.secret_sha256
    session = Bound(f"{clerk} {credential}", OF_SESSION, f"This session has {OF_SESSION} calls waiting already.")
    if not who.is_unproven:
        return [session, Bound(f"key {who.key_id}", OF_KEY, f"This key has {OF_KEY} calls waiting already.")]
    of_network = NETWORK_FACTOR * per_address
    return [
        session,
        Bound(f"at {origin.address}", per_address, f"From this address {per_address} calls are waiting already."),
        Bound(f"in {origin.network}", of_network, f"From this network {of_network} calls are waiting already."),
        Bound(CUSTOMERS, OF_CUSTOMERS, "Too many callers wait for changes.", "overloaded"),
    ]
