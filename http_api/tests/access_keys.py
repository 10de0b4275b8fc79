"""Access keys for tests: added and revoked in the way of `clerk key create` and of the people page."""

from __future__ import annotations

from http_api.keys import KeyRing, Role, Scope, new_key


def add_key(ring: KeyRing, scope: Scope, name: str, role: Role | None = None) -> str:
    """A new live key."""
    key = new_key(scope)
    ring.put(key, name, role)
    return key


def revoke_key(ring: KeyRing, key: str) -> bool:
    """False when there was no such live key."""
    key_id = key.split("_")[1]
    with ring.database.begin() as tx:
        found = ring.revoke_within(tx, key_id)
    ring.forget(key_id)
    return found
