"""The page of one Clerk as values: whose move it is, its story, its acts by name, the document's parts. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from domain.document import SECTION_OF, part
from domain.times import from_wire, hours, to_wire
from doors.problems import Problem
from shop_manager.causes import explained
from shop_manager.dashboard.difference import Line, as_json, in_short, lines
from shop_manager.dashboard.story import Services, Told, told

NAMES = {
    "retry": "Ask again now",
    "undo": "Stop and undo",
    "extend": "Give more time",
    "settle": "Settle by hand",
    "note": "Leave a note",
}
GRAVE = frozenset({"undo", "settle"})
"""Acts that cannot be taken back: their buttons look like it."""


class Move(NamedTuple):
    """Whose move it is, in words."""

    icon: str
    name: str
    meaning: str


MOVES = {
    "customer": Move("person", "The customer's move", "Nobody of us has to do anything."),
    "warehouse": Move("hand", "The warehouse's move", "Nobody else has to do anything."),
    "service": Move("turning", "A service's move", "It was asked and will answer; nobody has to do anything."),
    "operator": Move("alert", "Your move", ""),
    "nobody": Move("check", "Nobody's move", "Nothing is left to do."),
}


class Said(NamedTuple):
    """A line of the story. `number` is None for what was ignored."""

    number: int | None
    at: str
    told: Told
    changes: list[Line]
    changed: str


class Act(NamedTuple):
    """One act with its form. `typed` is what its fields hold: what was typed, when it could not be done."""

    action: str
    name: str
    allowed: bool
    consequence: str
    why_not: str
    step: str
    outcomes: Sequence[str]
    undoable: bool
    grave: bool
    open: bool
    typed: Mapping[str, str]


class Conflict(NamedTuple):
    """Why nothing was done, and what has happened since the operator looked."""

    detail: str
    since: list[Said]


class Section(NamedTuple):
    name: str
    owner: str
    status: str
    text: str


def move(clerk: Mapping[str, Any]) -> Move:
    """Whose move it is; an operator is told which."""
    known, stuck = MOVES[clerk["owner"]], clerk["stuck"]
    if not stuck:
        return known
    told = explained(stuck["kind"], stuck["code"], stuck["service"], stuck["step"])["move"]
    return known._replace(meaning=f"{told[0].upper()}{told[1:]}.")


def story(timeline: Iterable[Mapping[str, Any]], services: Services) -> list[Said]:
    """The timeline in sentences, the latest first."""
    return [_said(line, services) for line in timeline][::-1]


def _said(line: Mapping[str, Any], services: Services) -> Said:
    changes = lines(line.get("changes"))
    return Said(line["number"], line["at"], told(line, services), changes, in_short(changes))


def coming(clerk: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What happens by itself and when; a deadline after which nothing does is left out."""
    return [each for each in clerk["deadlines"] if not each["then"].startswith("nothing")]


def conflict(problem: Problem, story: Sequence[Said], typed: Mapping[str, str], version: int) -> Conflict:
    """Told with who was quicker: the lines of the story that came after the version that was seen."""
    seen = typed.get("version", "")
    after = int(seen) if seen.isdigit() and problem.code == "version_conflict" else version
    return Conflict(problem.detail, [said for said in story if said.number is not None and said.number > after])


def acts(clerk: Mapping[str, Any], typed: Mapping[str, str], now: int) -> list[Act]:
    """What `/ops/clerks/{id}` allows, in its order. That which was tried, or helps most often, is open."""
    tried = typed.get("action") or ("retry" if clerk["stuck"] else "")
    later = in_field(max([now, *_deadlines(clerk)]) + hours(1))
    return [_act(each, each["action"] == tried, {"until": later}, typed) for each in clerk["actions"]]


def in_field(moment: int) -> str:
    """A moment as a field for date and time takes it, in UTC."""
    return to_wire(moment)[:16]


def _deadlines(clerk: Mapping[str, Any]) -> list[int]:
    return [from_wire(each["at"]) for each in clerk["deadlines"] if each["what"] != "resend"]


def _act(action: Mapping[str, Any], is_open: bool, usual: Mapping[str, str], typed: Mapping[str, str]) -> Act:
    name, outcomes = action["action"], action.get("outcomes") or []
    mine = typed if typed.get("action") == name else usual
    fields = {field: mine.get(field, "") for field in ("reason", "evidence", "outcome", "until", "undo")}
    return Act(
        action=name,
        name=NAMES.get(name, name),
        allowed=action["allowed"],
        consequence=action["consequence"] or "",
        why_not=(action["why_not"] or {}).get("detail", ""),
        step=action.get("step") or "",
        outcomes=outcomes,
        undoable="done" in outcomes,
        grave=name in GRAVE,
        open=is_open,
        typed=fields,
    )


def sections(document: Mapping[str, Any]) -> list[Section]:
    """The parts of the document, each with its owner."""
    owners = {section: service for service, section in SECTION_OF.items()}
    return [
        Section(name, owners.get(name, "ShopManager"), _status(content), as_json(content, indent=True))
        for name, content in document.items()
        if content is not None
    ]


def _status(content: Any) -> str:
    found = content.get("status") if isinstance(content, dict) else None
    return found if isinstance(found, str) else ""


def items(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What was ordered; whatever is no article is left out."""
    found = part(dict(document), "order").get("items")
    listed = found if isinstance(found, list) else []
    return [_item(item) for item in listed if isinstance(item, dict)]


def _item(item: Mapping[str, Any]) -> dict[str, Any]:
    amounts = {name: item.get(name) for name in ("unit_amount", "total")}
    whole = {name: value if type(value) is int else None for name, value in amounts.items()}
    return {**{name: item.get(name) for name in ("sku", "name", "quantity")}, **whole}
