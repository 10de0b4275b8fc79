"""`CLERK_DEVELOPMENT=yes` says that this is no production start: it lets pass what is refused in one."""

from __future__ import annotations

from collections.abc import Mapping

MARKER = "CLERK_DEVELOPMENT"


def is_development(environment: Mapping[str, str]) -> bool:
    """Only this very word counts; a file such as .env has no say in it."""
    return environment.get(MARKER) == "yes"
