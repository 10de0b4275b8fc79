"""What came of the last act of an operator on a Clerk: asked, answered, and how it stands now. Pure.

Everything is read from the history and from the Clerk as it is: nothing is promised.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from domain.times import from_wire, hours
from shop_manager.dashboard.formatting import absolute
from shop_manager.dashboard.timeline_text import Entry, Services, operator_in, why
from shop_manager.saga.state import BY_OPERATOR, ENDED

ACTS = frozenset({"asked", "deadlines_moved", "settled", "turned_around"})
ANSWERS = frozenset({"done", "undone", "refused", "do_failed", "undo_failed"})
SHOWN_FOR = hours(24)
"""How long an act on an order that has ended is shown."""


class Stage(NamedTuple):
    """`name` is asked, answered or now; `at` is "" where it is not one moment."""

    name: str
    icon: str
    tone: str
    text: str
    at: str = ""


class ActOutcome(NamedTuple):
    """`stages` in order; `final` when nothing more can come of the act."""

    stages: Sequence[Stage]
    final: bool


def outcome_of(entries: Sequence[Entry], clerk: Mapping[str, Any], services: Services, now: int) -> ActOutcome | None:
    """Of the last act in the timeline; None when there was none, or it is long over. `now` in ms."""
    at = _last_act(entries)
    if at is None:
        return None
    act, after = entries[at], entries[at + 1 :]
    if clerk["status"] in ENDED and from_wire(act["at"]) < now - SHOWN_FOR:
        return None
    answered = _answered(act, after, services)
    now_is = _more_time(act, entries[: at + 1], clerk, services) or _now(clerk, is_open=_is_open(answered))
    stages = [_asked(act, services), *([answered] if answered else []), now_is]
    return ActOutcome(stages, clerk["status"] in ENDED)


def _last_act(entries: Sequence[Entry]) -> int | None:
    """A step that was settled as refused turns the order around in the same moment: the settling is the act."""
    found = [at for at, each in enumerate(entries) if each["what"] in ACTS and _is_by_operator(each)]
    if len(found) > 1 and entries[found[-2]]["what"] == "settled" and found[-2] >= found[-1] - 2:
        return found[-2] if entries[found[-2]]["at"] == entries[found[-1]]["at"] else found[-1]
    return found[-1] if found else None


def _is_by_operator(entry: Entry) -> bool:
    return str(entry["data"].get("by") or "").startswith(BY_OPERATOR)


def _asked(act: Entry, services: Services) -> Stage:
    data, by = act["data"], operator_in(act)
    if act["what"] == "asked":
        task = "undo" if data["direction"] == "undo" else "do"
        text = f"{services.get(act['step'] or '', 'the service')} was asked again to {task} {act['step']}"
        text = f"{text}, attempt {data['attempt']}"
    elif act["what"] == "deadlines_moved":
        text = f"more time was given until {absolute(data.get('deadline') or data['expires_at'])}"
    elif act["what"] == "settled":
        text = f"{act['step']} was settled by hand as {data['outcome']}"
    else:
        text = "the order was stopped, to be undone"
    return Stage("asked", "person", "quiet", f"{text}, by {by}", act["at"])


def _answered(act: Entry, after: Sequence[Entry], services: Services) -> Stage | None:
    """None for acts that ask nobody."""
    if act["what"] == "asked":
        return _answer_to(act, after, services)
    return _undone(after, services) if act["what"] == "turned_around" else None


def _answer_to(act: Entry, after: Sequence[Entry], services: Services) -> Stage:
    who = services.get(act["step"] or "", "the service")
    for entry in after:
        if entry["what"] in ANSWERS and entry["step"] == act["step"]:
            return _said(entry, who)
        if entry["what"] == "settled":
            return Stage("answered", "hand", "warn", f"settled by hand, by {operator_in(entry)}", entry["at"])
        if entry["what"] == "turned_around":
            text = f"{who} did not answer before the order turned around"
            return Stage("answered", "back", "warn", text, entry["at"])
    return Stage("answered", "clock", "busy", f"{who} has said nothing new yet")


def _said(entry: Entry, who: str) -> Stage:
    if entry["what"] in ("done", "undone"):
        return Stage("answered", "check", "good", f"{who} has {entry['what']} {entry['step']}", entry["at"])
    said = {"refused": f"{who} refused", "undo_failed": f"{who} cannot undo it now"}.get(
        entry["what"], f"{who} cannot do it now"
    )
    return Stage("answered", "cross", "bad", f"{said}: {why(entry['data'])}", entry["at"])


def _undone(after: Sequence[Entry], services: Services) -> Stage:
    """How far the undoing is: what was undone, or why the next step cannot be."""
    answers = [each for each in after if each["what"] in ("undone", "undo_failed")]
    if not answers and any(each["what"] == "ended" for each in after):
        return Stage("answered", "check", "good", "nothing had to be undone", after[-1]["at"])
    if not answers:
        return Stage("answered", "clock", "busy", "nothing is undone yet")
    last = answers[-1]
    if last["what"] == "undo_failed":
        return _said(last, services.get(last["step"] or "", "the service"))
    steps = ", ".join(dict.fromkeys(str(each["step"]) for each in answers if each["what"] == "undone"))
    return Stage("answered", "check", "good", f"undone: {steps}", last["at"])


def _more_time(act: Entry, until_then: Sequence[Entry], clerk: Mapping[str, Any], services: Services) -> Stage | None:
    """Of one that was stuck, has got more time, and has heard nothing since; else None."""
    question = clerk["question"]
    if act["what"] != "deadlines_moved" or clerk["stuck"] or question is None or question["step"] != act["step"]:
        return None
    if not any(each["what"] == "stuck" and each["step"] == act["step"] for each in until_then):
        return None
    who, end = services.get(act["step"] or "", "the service"), absolute(question["deadline"])
    return Stage(
        "now", "clock", "busy", f"{who} has not answered yet; without an answer it is stuck again from {end} on"
    )


def _is_open(answered: Stage | None) -> bool:
    return answered is not None and not answered.at


def _now(clerk: Mapping[str, Any], *, is_open: bool) -> Stage:
    """`is_open`: the question is not answered yet."""
    status, stuck = clerk["status"], clerk["stuck"]
    if status in ENDED:
        tone, icon = ("good", "check") if status == "completed" else ("quiet", "dot")
        return Stage("now", icon, tone, f"the order has ended: {status}")
    if stuck:
        still = "counts as stuck until it is answered" if is_open else "still stuck"
        return Stage("now", "alert", "bad", f"{still}, at {stuck['step']}: {why(stuck)}")
    undoing = "being undone, " if status == "canceling" else "going on, "
    return Stage("now", "turning", "busy", f"{undoing}at {clerk['step']}" if clerk["step"] else "going on")
