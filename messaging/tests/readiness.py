"""Waits for a participant that a test has started."""

from __future__ import annotations

from threading import Event
from time import monotonic

from messaging.participant import Participant


def becomes_ready(participant: Participant, limit: float) -> bool:
    """Wait until everything of it runs, or it was refused; at most `limit` seconds."""
    until = monotonic() + limit
    while participant.waiting_for is not None and participant.refusal is None and monotonic() < until:
        Event().wait(0.01)
    return participant.waiting_for is None and participant.refusal is None
