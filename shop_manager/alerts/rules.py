"""When something is told of a cause of being stuck: that it is there, that it has grown, that it is over. Pure.

Each look compares which causes there are with what is known of them from the looks before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

What = Literal["stuck", "grown", "over"]


class CauseKey(NamedTuple):
    """What makes two stuck Clerks cases of one cause."""

    process: str
    step: str
    kind: str
    code: str

    @property
    def id(self) -> str:
        return hashlib.sha256("\n".join(self).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class AlertRules:
    """`wait`: ms for which a cause is there before its first word, and gone before it counts as over; `quiet`: ms
    between two words that it is stuck; `growth`: so many times as many are told anew.
    """

    wait: int
    quiet: int
    growth: float


@dataclass(frozen=True, slots=True)
class KnownCause:
    """`since`: the look that first found it, `gone_at` the one that first did not (ms). `told_count`: how many Clerks
    were told of at `told_at`; 0 when nobody outside believes that it is stuck. `episode`: the id of the alert that
    said first that it is.
    """

    since: int
    gone_at: int | None = None
    told_at: int | None = None
    told_count: int = 0
    episode: str = ""


class Word(NamedTuple):
    """One thing to tell: `stuck` Clerks are stuck now, `before` were when it was told last."""

    id: str
    what: What
    cause: CauseKey
    stuck: int
    before: int
    episode: str


@dataclass(frozen=True, slots=True)
class Looked:
    """What one look leads to: the causes whose row changes, those that are forgotten, and what is told."""

    changed: dict[CauseKey, KnownCause] = field(default_factory=dict)
    forgotten: list[CauseKey] = field(default_factory=list)
    words: list[Word] = field(default_factory=list)

    @property
    def is_nothing(self) -> bool:
        return not (self.changed or self.forgotten)


def look(known: Mapping[CauseKey, KnownCause], found: Mapping[CauseKey, int], now: int, rules: AlertRules) -> Looked:
    """`found`: how many Clerks are stuck for each cause now."""
    looked = Looked()
    for cause, count in found.items():
        before = known.get(cause)
        after, word = _still_there(cause, before, count, now, rules)
        if after != before:
            looked.changed[cause] = after
        looked.words.extend([word] if word else [])
    for cause, before in known.items():
        if cause in found:
            continue
        after_all, word = _gone(cause, before, now, rules)
        if after_all is None:
            looked.forgotten.append(cause)
        elif after_all != before:
            looked.changed[cause] = after_all
        looked.words.extend([word] if word else [])
    return looked


def _still_there(
    cause: CauseKey, before: KnownCause | None, count: int, now: int, rules: AlertRules
) -> tuple[KnownCause, Word | None]:
    state = before or KnownCause(since=now)
    if state.gone_at is not None:
        begins_anew = not state.told_count and now - state.gone_at >= rules.wait
        state = replace(state, gone_at=None, since=now if begins_anew else state.since)
    if state.told_at is not None and now - state.told_at < rules.quiet:
        return state, None
    if state.told_count:
        what: What = "grown"
        due = count >= state.told_count * rules.growth
    else:
        what = "stuck"
        due = now - state.since >= rules.wait
    if not due:
        return state, None
    alert = alert_id(cause, what, now)
    episode = state.episode if what == "grown" else alert
    word = Word(alert, what, cause, count, state.told_count, episode)
    return replace(state, told_at=now, told_count=count, episode=episode), word


def _gone(cause: CauseKey, before: KnownCause, now: int, rules: AlertRules) -> tuple[KnownCause | None, Word | None]:
    """None for a cause of which nothing need be remembered any more."""
    if before.gone_at is None:
        before = replace(before, gone_at=now)
    if now - (before.gone_at or now) < rules.wait:
        return before, None
    word = None
    if before.told_count:
        word = Word(alert_id(cause, "over", now), "over", cause, 0, before.told_count, before.episode)
    is_quiet = before.told_at is not None and now - before.told_at < rules.quiet
    return replace(before, told_count=0, episode="") if is_quiet else None, word


def alert_id(cause: CauseKey, what: What, now: int) -> str:
    """The same for whoever tells the same; every delivery of an alert has it."""
    return f"alt_{hashlib.sha256(f'{cause.id}/{what}/{now}'.encode()).hexdigest()[:24]}"
