"""Free TCP ports for test servers, below the range from which the system picks ports for clients.

A port inside that range may be somebody's client socket at the very moment a restarted server wants it back.
"""

from __future__ import annotations

import random
import socket
from pathlib import Path

_RANGE_FILE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_USUAL_START = 32768
_LOWEST = 15_000


def ephemeral_start(text: str | None = None) -> int:
    """The first port of the system's ephemeral range; `text` is what its file holds."""
    if text is None:
        text = _RANGE_FILE.read_text() if _RANGE_FILE.exists() else ""
    words = text.split()
    return int(words[0]) if words else _USUAL_START


def free_ports(count: int) -> list[int]:
    """`count` different ports on which nobody listens now, chosen at random: many runs may share the machine."""
    below = ephemeral_start()
    lowest = _LOWEST if below > _LOWEST + 1000 else 1024
    found: list[int] = []
    for port in random.sample(range(lowest, below), min(1000, below - lowest)):
        if _is_free(port):
            found.append(port)
        if len(found) == count:
            return found
    raise RuntimeError(f"no {count} free ports between {lowest} and {below}")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
