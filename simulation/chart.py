"""A message chart: who sent what to whom, what people did and what went wrong, a line each, for people to read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import orjson

from simulation.clock import BEGINNING

WHO = 18
SHOWN = ("dies", "starts", "door", "is cut off", "connects", "stands still", "intrudes", "provider", "bad message")
"""Which acts are shown beside the messages; rounds and ticks are only their causes."""
ARROW = "──▶"


def told(queue: str, body: bytes, fate: str | None) -> Iterator[str]:
    """A line for each message of a delivery."""
    to = queue.split(".", 1)[0]
    for message in orjson.loads(body):
        direction = message.get("direction", "")
        what = f"{message.get('name', message.get('kind'))} {message.get('step', '')}/{direction}"
        outcome = message.get("outcome", "")
        refusal = (message.get("refusal") or {}).get("code", "")
        words = " ".join(word for word in (what, outcome, refusal) if word)
        yield f"{ARROW} {to:<13} {words}  {message.get('clerk') or ''}" + (f"  ({fate})" if fate else "")


def chart(lines: Sequence[str], most: int = 200) -> list[str]:
    """The trace of a run, as far as it tells a story: `seconds  who  what`."""
    told_lines = [_row(line) for line in lines if _is_shown(line)]
    left_out = len(told_lines) - most
    return told_lines if left_out <= 0 else [f"… {left_out} lines before", *told_lines[-most:]]


def _is_shown(line: str) -> bool:
    return ARROW in line or any(word in line for word in SHOWN)


def _row(line: str) -> str:
    at, who, what = line.split(" ", 2)
    seconds = (int(at) - BEGINNING) / 1000
    return f"{seconds:10.3f} s  {'' if who == '-' else who:<{WHO}} {what}"
