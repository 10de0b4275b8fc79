"""The causes of being stuck in words: what each means, what the operator does, and what happens by itself. Pure.

`/ops` and the dashboard show these texts.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

OWNER: Literal["operator"] = "operator"
"""Who has the next move: with a stuck Clerk always the operators, whatever it waits for."""


class Meaning(NamedTuple):
    """`move`: what the operator does. `{service}` and `{step}` in the texts stand for those of the cause."""

    means: str
    move: str
    then: str


UNDO_ASKED_FOR = "the undo is asked for again, ever more slowly, and the order goes on when it succeeds"
_OF_KIND = {
    "undo_failing": Meaning(
        "{service} has failed again and again to undo {step}; earlier steps wait for it",
        "have whoever runs {service} make it able to undo {step} again",
        UNDO_ASKED_FOR,
    ),
    "no_answer": Meaning(
        "{service} has not answered {step} in the time it has",
        "ask whoever runs {service} whether it is up and takes messages",
        "the same question goes out again, and the order goes on when it is answered",
    ),
    "overdue": Meaning(
        "{service} answers that it cannot do {step} now, behind the point of no return",
        "have whoever runs {service} make it able to do {step} again",
        "nothing is undone; it is asked again, ever more slowly, and the order goes on when the step is done",
    ),
    "parked_message": Meaning(
        "a message of {step} was given up on, and waits among the parked ones",
        "look at the parked message, have its cause repaired, then replay or discard it",
        "the same question goes out again, and is parked again if nothing has changed",
    ),
    "unsupported": Meaning(
        "{service} does not know the command of {step}: it is older than the process",
        "have whoever deploys {service} bring its newer version",
        "the same question goes out again, and the order goes on when the service knows the command",
    ),
}
_OF_CODE = {
    ("undo_failing", "no_answer"): Meaning(
        "{service} does not say whether it has undone {step}; earlier steps wait for it",
        "ask whoever runs {service} whether it is up and takes messages",
        UNDO_ASKED_FOR,
    ),
    ("overdue", "overdue"): Meaning(
        "{step} has taken longer than it may, behind the point of no return",
        "ask the warehouse when it is going to be done",
        "nothing is undone; the order goes on when the step is done",
    ),
}
"""Where the code says more than the kind."""
_UNKNOWN = Meaning("{service} does not go on with {step}", "look at one of them", "nothing that this version knows of")


def explained(kind: str, code: str, service: str | None, step: str | None) -> dict[str, str]:
    """`{owner, means, move, then}` of a cause."""
    told = _OF_CODE.get((kind, code)) or _OF_KIND.get(kind, _UNKNOWN)
    words = {"service": service or "the service", "step": step or "its step"}
    return {"owner": OWNER, **{name: text.format(**words) for name, text in told._asdict().items()}}
