"""A message chart for people: who sent what to whom, what people did and what went wrong, a line each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import orjson

from simulation.clock import BEGINNING

NAME_WIDTH = 18
MOST = 200
"""Lines of a chart."""
ARROW = "──▶"


class TraceLine(NamedTuple):
    """`text`: `ms participant what`. `in_chart`: messages and rare acts; rounds and ticks are left out."""

    text: str
    in_chart: bool


def message_lines(queue: str, body: bytes, fault: str | None) -> Iterator[str]:
    """A line for each message of a delivery, with the fault that it meets."""
    to = queue.split(".", 1)[0]
    for message in orjson.loads(body):
        direction = message.get("direction", "")
        what = f"{message.get('name', message.get('kind'))} {message.get('step', '')}/{direction}"
        outcome = message.get("outcome", "")
        refusal = (message.get("refusal") or {}).get("code", "")
        words = " ".join(word for word in (what, outcome, refusal) if word)
        yield f"{ARROW} {to:<13} {words}  {message.get('clerk') or ''}" + (f"  ({fault})" if fault else "")


def chart(lines: Sequence[TraceLine]) -> list[str]:
    """The lines of a trace that are in the chart, as `seconds  participant  what`; at most the last MOST."""
    rows = [_row(line.text) for line in lines if line.in_chart]
    left_out = len(rows) - MOST
    return rows if left_out <= 0 else [f"… {left_out} lines before", *rows[-MOST:]]


def _row(line: str) -> str:
    at, participant, what = line.split(" ", 2)
    seconds = (int(at) - BEGINNING) / 1000
    return f"{seconds:10.3f} s  {'' if participant == '-' else participant:<{NAME_WIDTH}} {what}"
