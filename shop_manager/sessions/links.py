"""The links of a public session as the outside follows them: with the path that the public address has in front. Pure.

Only what goes out has it: what is stored, as the answer of an Idempotency-Key is, stays as it is wherever we are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.public_url import PublicAddress


def with_public_links(session: Mapping[str, Any], address: PublicAddress) -> Mapping[str, Any]:
    """The session, with `links` and `next_action.href` as paths of that address."""
    if not address.prefix:
        return session
    action = session["next_action"]
    return {
        **session,
        "next_action": action and {**action, "href": address.path(action["href"])},
        "links": {name: address.path(path) for name, path in session["links"].items()},
    }
