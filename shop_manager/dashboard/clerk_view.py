"""The values that the page of one Clerk shows: whose move it is, the forms, the document. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from domain.document import SECTION_OF, part
from domain.times import from_wire, hours, to_wire
from http_api.problems import Problem
from shop_manager.dashboard.document_diff import as_json
from shop_manager.dashboard.form_numbers import is_number
from shop_manager.dashboard.timeline_lines import TimelineLine
from shop_manager.operations.causes import explained

ACT_NAMES = {
    "retry": "Ask again now",
    "undo": "Stop and undo",
    "extend": "Give more time",
    "settle": "Settle by hand",
    "note": "Leave a note",
}
IRREVERSIBLE = frozenset({"undo", "settle"})
"""Acts that cannot be taken back: their buttons look different."""


class NextMove(NamedTuple):
    """Whose move it is, in words."""

    icon: str
    name: str
    meaning: str


NEXT_MOVES = {
    "customer": NextMove("person", "The customer's move", "Nobody of us has to do anything."),
    "warehouse": NextMove("hand", "The warehouse's move", "Nobody else has to do anything."),
    "service": NextMove("turning", "A service's move", "It was asked and will answer; nobody has to do anything."),
    "operator": NextMove("alert", "Your move", ""),
    "nobody": NextMove("check", "Nobody's move", "Nothing is left to do."),
}


class Silence(NamedTuple):
    """Who was asked and has not answered. Moments as in `/ops`; "" where there is none.

    `again`: when the same goes out again; `until`: how long it has time; `then`: what comes then.
    """

    who: str
    since: str
    again: str
    until: str
    then: str


class ActForm(NamedTuple):
    """One act with its form. `values` fill its fields: what was typed when the act was refused, else the usual.

    `typed`: they are somebody's words, and stay while the page is open.
    """

    action: str
    name: str
    allowed: bool
    consequence: str
    why_not: str
    step: str
    outcomes: Sequence[str]
    undoable: bool
    irreversible: bool
    open: bool
    typed: bool
    values: Mapping[str, str]


class RefusedAct(NamedTuple):
    """Why nothing was done, and what has happened since the operator opened the page."""

    detail: str
    since: list[TimelineLine]


class DocumentSection(NamedTuple):
    name: str
    owner: str
    status: str
    text: str


def next_move(clerk: Mapping[str, Any]) -> NextMove:
    """Whose move it is; when it is an operator's, also what to do."""
    known, stuck = NEXT_MOVES[clerk["owner"]], clerk["stuck"]
    if not stuck or clerk["owner"] != "operator":
        return known
    move = explained(stuck["kind"], stuck["code"], stuck["service"], stuck["step"])["move"]
    return known._replace(meaning=f"{move[0].upper()}{move[1:]}.")


def silence(
    clerk: Mapping[str, Any], services: Mapping[str, str], entries: Sequence[Mapping[str, Any]]
) -> Silence | None:
    """Of one that is not stuck, when it was asked more than once without an answer, or has got more time; else None.

    `services` by step; `entries` of the timeline.
    """
    question = clerk["question"]
    if question is None or clerk["stuck"] or question["paused"] or clerk["owner"] not in ("service", "warehouse"):
        return None
    of_step = [each["what"] for each in entries if each["step"] == question["step"]]
    if "deadlines_moved" not in of_step and not (question["resent"] and clerk["owner"] == "service"):
        return None
    coming = {each["what"]: each for each in reversed(clerk["deadlines"])}
    limit = coming.get("step") or {"at": "", "then": ""}
    who = "the warehouse" if clerk["owner"] == "warehouse" else services.get(question["step"], "the service")
    then = limit["then"].replace("is stuck", "is stuck again") if "stuck" in of_step else limit["then"]
    return Silence(who, question["asked_at"], coming.get("resend", limit | {"at": ""})["at"], limit["at"], then)


def refused_act(problem: Problem, lines: Sequence[TimelineLine], form: Mapping[str, str], version: int) -> RefusedAct:
    """With the lines that came after the version that the form's page has shown."""
    seen = form.get("version", "")
    after = int(seen) if is_number(seen) and problem.code == "version_conflict" else version
    return RefusedAct(problem.detail, [line for line in lines if line.number is not None and line.number > after])


def act_forms(clerk: Mapping[str, Any], form: Mapping[str, str], now: int) -> list[ActForm]:
    """The acts of `/ops/clerks/{id}`, in its order. The refused one is open, else the one that helps most often.

    `form` is what was sent with a refused act, else empty.
    """
    tried = form.get("action") or ("retry" if clerk["stuck"] else "")
    later = as_typed(max([now, *_deadlines(clerk)]) + hours(1))
    return [_act_form(each, each["action"] == tried, {"until": later}, form) for each in clerk["actions"]]


def as_typed(moment: int) -> str:
    """A moment as it can be typed: `2026-12-01 09:00 UTC`."""
    return f"{to_wire(moment)[:16].replace('T', ' ')} UTC"


def _deadlines(clerk: Mapping[str, Any]) -> list[int]:
    """Also that of a stuck one's step, which has passed or does not count, and still may only be moved on."""
    told = [each["at"] for each in clerk["deadlines"] if each["what"] != "resend"]
    open_step = (clerk["question"] or {}).get("deadline")
    return [from_wire(each) for each in (*told, open_step) if each]


def _act_form(action: Mapping[str, Any], is_open: bool, usual: Mapping[str, str], form: Mapping[str, str]) -> ActForm:
    name, outcomes = action["action"], action.get("outcomes") or []
    values = form if form.get("action") == name else usual
    return ActForm(
        action=name,
        name=ACT_NAMES.get(name, name),
        allowed=action["allowed"],
        consequence=action["consequence"] or "",
        why_not=(action["why_not"] or {}).get("detail", ""),
        step=action.get("step") or "",
        outcomes=outcomes,
        undoable="done" in outcomes,
        irreversible=name in IRREVERSIBLE,
        open=is_open,
        typed=bool(form) and form.get("action") == name,
        values={field: values.get(field, "") for field in ("reason", "evidence", "outcome", "until", "undo")},
    )


def document_sections(document: Mapping[str, Any]) -> list[DocumentSection]:
    """The sections of the document, each with the service that owns it."""
    owners = {section: service for service, section in SECTION_OF.items()}
    return [
        DocumentSection(name, owners.get(name, "ShopManager"), _status(content), as_json(content, indent=True))
        for name, content in document.items()
        if content is not None
    ]


def _status(content: Any) -> str:
    found = content.get("status") if isinstance(content, dict) else None
    return found if isinstance(found, str) else ""


def ordered_items(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The items of the order; what is not an object is left out."""
    found = part(dict(document), "order").get("items")
    listed = found if isinstance(found, list) else []
    return [_item(item) for item in listed if isinstance(item, dict)]


def _item(item: Mapping[str, Any]) -> dict[str, Any]:
    amounts = {name: item.get(name) for name in ("unit_amount", "total")}
    whole = {name: value if type(value) is int else None for name, value in amounts.items()}
    return {**{name: item.get(name) for name in ("sku", "name", "quantity")}, **whole}
