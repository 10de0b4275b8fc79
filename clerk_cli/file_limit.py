"""How many files this process may have open (`ulimit -n`), and how many of them connections to it may take."""

from __future__ import annotations

import resource

from clerk_cli.http_connections import BESIDE

OWN = 64
"""Files of the process itself: its output, libraries, the broker's connections, some to spare."""


def room_for_connections(wanted: int, others: int) -> int:
    """How many connections the HTTP server may hold: those wanted, unless the limit of open files allows fewer.

    `others` are the files that databases and services need. The soft limit is raised for it as far as the hard one
    allows; below a quarter of the limit it never falls.
    """
    reserve = OWN + BESIDE + others
    limit = _raised_to(wanted + reserve)
    return min(wanted, max(limit - reserve, limit // 4))


def _raised_to(wanted: int) -> int:
    """The soft limit, raised if need be and if it may be."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return wanted
    if soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return soft
