"""Every way to be stuck, in words: what it means, and whose move is next. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Meaning(NamedTuple):
    """`{service}` and `{step}` in the texts stand for those of the cause."""

    means: str
    move: str


MEANINGS = {
    "undo_failing": Meaning(
        "{service} has failed again and again to undo {step}; earlier steps wait for it",
        "whoever runs {service}: it must be able to undo again",
    ),
    "no_answer": Meaning(
        "{service} has not answered {step} in the time it has",
        "whoever runs {service}: is it up, does it take messages?",
    ),
    "overdue": Meaning(
        "{step} has taken longer than it may, behind the point of no return",
        "whoever has {step} to do: {service}, or the warehouse behind it",
    ),
    "parked_message": Meaning(
        "a message of {step} was given up on, and waits among the parked ones",
        "you: look at the parked message, then replay or discard it",
    ),
    "unsupported": Meaning(
        "{service} does not know the command of {step}: it is older than the process",
        "whoever deploys {service}: it needs the newer version",
    ),
}
_UNKNOWN = Meaning("{service} does not go on with {step}", "an operator")


def explained(cause: Mapping[str, Any]) -> dict[str, Any]:
    """A cause of the summary, with what it `means` and whose `move` it is, in words."""
    words = {"service": cause["service"] or "the service", "step": cause["step"] or "its step"}
    told = MEANINGS.get(cause["kind"], _UNKNOWN)
    return {**cause, **{name: text.format(**words) for name, text in told._asdict().items()}}
