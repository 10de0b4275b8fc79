"""What the activity page says of each line, and of the last hour against the one before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from domain.messages import SHOP_MANAGER
from domain.times import from_wire
from shop_manager.dashboard.audit_page import page_of
from shop_manager.dashboard.labels import STUCK, Label, label_of
from shop_manager.operations.formats import duration

HEALED = {
    "by_itself": "by itself",
    "retry": "retried by {who}",
    "replay": "replayed by {who}",
    "undo": "undone by {who}",
    "settle": "settled by {who}",
    "canceled": "the order was called off",
}
"""What made a stuck Clerk go on."""
LABELS = {
    "stuck": Label("became stuck", "alert", "bad"),
    "healed": Label("healed", "check", "good"),
    "act": Label("act", "hand", "busy"),
    "parked": Label("parked", "alert", "warn"),
    "replayed": Label("replayed", "back", "busy"),
    "discarded": Label("discarded", "cross", "quiet"),
    "deploy": Label("new version", "turning", "busy"),
    "began": Label("outage", "alert", "bad"),
    "ended": Label("outage over", "check", "good"),
}
KIND_WORDS = {
    "stuck": "became stuck", "healed": "healed", "act": "acts of operators", "parked": "parked messages, replays",
    "deploy": "new versions", "outage": "outages",
}  # fmt: skip


TILE_WORDS = {"act": "acts", "deploy": "new versions", "outage": "outages"}
"""Of kinds whose number is told: where the word of a line does not do."""


class ActivityRow(NamedTuple):
    """A line: its label, the thing that it is about with its page (`""`: none), a sentence, and more in small."""

    line: Mapping[str, Any]
    label: Label
    name: str
    href: str
    said: str
    more: str


class Tile(NamedTuple):
    """One kind's last hour against the hour before; `difference` with its sign, `spoken` the same in words."""

    kind: str
    label: Label
    last_hour: int
    hour_before: int
    difference: str
    spoken: str


def row_of(line: Mapping[str, Any]) -> ActivityRow:
    said, more = _SAYS[line["kind"]](line)
    target = f"clerk:{line['clerk']}" if line["clerk"] else line["target"] or ""
    return ActivityRow(line, _label(line["kind"], line["what"]), target.partition(":")[2], page_of(target), said, more)


def tile_of(compared: Mapping[str, Any]) -> Tile:
    difference = compared["difference"]
    words = f"{abs(difference)} {'more' if difference > 0 else 'fewer'}" if difference else "as many"
    label = _label(compared["kind"], compared["what"] or "")
    return Tile(
        compared["kind"],
        label._replace(name=TILE_WORDS.get(compared["kind"], label.name)),
        compared["last_hour"],
        compared["hour_before"],
        f"{difference:+d}".replace("-", "−") if difference else "±0",
        words,
    )


def _label(kind: str, what: str) -> Label:
    return LABELS.get(what if kind in ("parked", "outage") else kind) or Label(what, "dot", "quiet")


def _stuck(line: Mapping[str, Any]) -> tuple[str, str]:
    code = "" if line["code"] in (None, line["what"]) else f"{line['code']}: "
    return f"{label_of('stuck', line['what']).name} at {line['step']}", f"{code}{line['detail']}"


def _healed(line: Mapping[str, Any]) -> tuple[str, str]:
    how = HEALED.get(line["what"], line["what"]).format(who=line["who"])
    cause = STUCK[line["cause"]].name if line["cause"] in STUCK else line["cause"]
    return how, f"after {_lasted(line)} of {cause} at {line['step']}"


def _act(line: Mapping[str, Any]) -> tuple[str, str]:
    bulk, what = line["bulk"], line["what"].replace("_", " ")
    if bulk and line["what"] == "bulk_start":
        what = f"{bulk['action']} of {line['count']} in bulk, {bulk['status']}"
    return f"{what}, by {line['who']}", line["detail"]


def _parked(line: Mapping[str, Any]) -> tuple[str, str]:
    if line["what"] != "parked":
        return f"by {line['who']}", line["detail"]
    messages = "a message" if line["count"] == 1 else f"{line['count']} messages"
    return f"{messages} by {line['service']}", line["detail"]


def _deploy(line: Mapping[str, Any]) -> tuple[str, str]:
    if line["what"] == "process":
        return f"process {line['process']} is there", ""
    return f"{line['service']} {line['detail']} is at work", ""


def _outage(line: Mapping[str, Any]) -> tuple[str, str]:
    is_own = line["service"] == SHOP_MANAGER
    if line["what"] == "began":
        return f"{line['service']} {'was not at work' if is_own else 'does not answer'}", line["detail"]
    return f"{line['service']} {'is at work' if is_own else 'answers'} again, after {_lasted(line)}", line["detail"]


def _lasted(line: Mapping[str, Any]) -> str:
    return duration(max(0, from_wire(line["at"]) - from_wire(line["began_at"] or line["at"])))


_SAYS = {"stuck": _stuck, "healed": _healed, "act": _act, "parked": _parked, "deploy": _deploy, "outage": _outage}
