"""A Clerk's timeline told in sentences: what happened, who did it, and what it led to. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from shop_manager.dashboard.shown import absolute


class Told(NamedTuple):
    """One line: an icon of icons.html, a tone of app.css, one sentence, and the words behind it, if there are any."""

    icon: str
    tone: str
    sentence: str
    detail: str = ""


Line = Mapping[str, Any]
Services = Mapping[str, str]


def told(line: Line, services: Services) -> Told:
    """`line` is one of a Clerk's timeline (`/ops/clerks/{id}/timeline`); `services` says whom each step asks.

    What a later version writes down, and this one does not know, is told by its name.
    """
    teller = _TELLERS.get(line["what"])
    return teller(line, services) if teller else Told("dot", "quiet", line["what"].replace("_", " ").capitalize())


def _who(line: Line, services: Services) -> str:
    return services.get(line["step"] or "", "the service")


def _by(line: Line) -> str:
    """The operator who wanted it, when it was one."""
    by = line["data"].get("by")
    return f", by {_name(by)}" if by else ""


def _name(by: str) -> str:
    """An operator by name: history has `operator:nora`."""
    return by.removeprefix("operator:")


def _why(data: Mapping[str, Any]) -> str:
    """`credit_exceeded: 2590 is more than …`."""
    return ": ".join(str(data[name]) for name in ("code", "detail") if data.get(name))


def _opened(line: Line, services: Services) -> Told:
    data = line["data"]
    rule = (data.get("chosen") or {}).get("rule")
    because = f"Chosen because {rule}." if rule and rule != "everybody" else ""
    return Told("cart", "quiet", f"The session was opened, on process {data.get('process')}", because)


def _asked(line: Line, services: Services) -> Told:
    data, who = line["data"], _who(line, services)
    again = f", attempt {data['attempt']}" if data["attempt"] > 1 else ""
    undo = data["direction"] == "undo"
    sentence = f"{who} was asked to {'undo its part: ' if undo else ''}{data['command']}{again}{_by(line)}"
    return Told("back" if undo else "turning", "warn" if undo else "busy", sentence, _until(data))


def _until(data: Mapping[str, Any]) -> str:
    waits, deadline, reason = data.get("waits_for"), data.get("deadline"), data.get("reason")
    parts = [reason] if reason else []
    if waits:
        parts.append(f"It waits for the {waits}.")
    if deadline:
        parts.append(f"It has time until {absolute(deadline)}.")
    return " ".join(parts)


def _done(line: Line, services: Services) -> Told:
    return Told("check", "good", f"{_who(line, services)} has done {line['step']}")


def _undone(line: Line, services: Services) -> Told:
    return Told("back", "good", f"{_who(line, services)} has undone {line['step']}")


def _refused(line: Line, services: Services) -> Told:
    return Told("cross", "warn", f"{_who(line, services)} refused {line['step']}", _why(line["data"]))


def _cannot_undo(line: Line, services: Services) -> Told:
    return Told(
        "alert", "bad", f"{_who(line, services)} cannot undo {line['step']} now", _why(line["data"]) + _anew(line)
    )


def _cannot_do(line: Line, services: Services) -> Told:
    return Told(
        "alert", "warn", f"{_who(line, services)} cannot do {line['step']} now", _why(line["data"]) + _anew(line)
    )


def _anew(line: Line) -> str:
    at = line["data"].get("retry_at")
    return f". It is asked anew at {absolute(at)}." if at else ""


def _turned_around(line: Line, services: Services) -> Told:
    data = line["data"]
    failure, by = data.get("failure") or {}, _name(data.get("by") or "ShopManager")
    cause = " ".join(filter(None, (_why(failure), data.get("reason"))))
    sentence = f"The order turned around, by {by}: what was done is undone, and it will end {data['ending']}"
    return Told("back", "warn", sentence, cause)


def _stuck(line: Line, services: Services) -> Told:
    data = line["data"]
    sentence = f"Stuck at {line['step']}: {data['kind'].replace('_', ' ')}, it needs a person or {data['service']}"
    return Told("alert", "bad", sentence, _why(data))


def _unstuck(line: Line, services: Services) -> Told:
    return Told("check", "good", f"No longer stuck at {line['step']}")


def _deadlines_moved(line: Line, services: Services) -> Told:
    data = line["data"]
    moved = [f"the session's to {absolute(data['expires_at'])}"] if data.get("expires_at") else []
    moved += [f"the step's to {absolute(data['deadline'])}"] if data.get("deadline") else []
    why = data.get("reason") or data.get("why") or ""
    return Told("clock", "quiet", f"Deadlines were moved{_by(line)}: {', '.join(moved)}", why)


def _settled(line: Line, services: Services) -> Told:
    data = line["data"]
    kept = "" if data.get("undo") or data["outcome"] != "done" else "; it will not be undone later"
    sentence = f"{line['step']} was settled by hand as {data['outcome']}{_by(line)}{kept}"
    return Told("hand", "warn", sentence, " ".join(filter(None, (data.get("evidence"), data.get("reason")))))


def _ended(line: Line, services: Services) -> Told:
    status = line["data"]["status"]
    return Told("check" if status == "completed" else "cross", "good" if status == "completed" else "quiet",
                f"The order ended: {status}")  # fmt: skip


def _foreign_edit(line: Line, services: Services) -> Told:
    data = line["data"]
    sections = ", ".join(data.get("sections") or [])
    sentence = f"{data.get('by') or _who(line, services)} sent changes of parts that are not its own: {sections}"
    return Told("alert", "warn", sentence, "They were not taken over.")


def _note(line: Line, services: Services) -> Told:
    return Told("person", "quiet", f"Note{_by(line)}", str(line["data"].get("text") or ""))


def _ignored(line: Line, services: Services) -> Told:
    if not line["message"].endswith("/reply"):
        return Told(
            "dot", "quiet", f"Somebody wanted it {line['message'].rpartition('/')[2]}: too late", line["reason"]
        )
    asked = line["message"].removesuffix("/reply")
    sentence = f"A reply of {_who(line, services)} was ignored: it said {line['outcome']} to {asked}"
    return Told("dot", "quiet", sentence, f"{line['reason'].capitalize()}. It changed nothing.")


_TELLERS: dict[str, Callable[[Line, Services], Told]] = {
    "opened": _opened,
    "asked": _asked,
    "done": _done,
    "undone": _undone,
    "refused": _refused,
    "undo_failed": _cannot_undo,
    "do_failed": _cannot_do,
    "turned_around": _turned_around,
    "stuck": _stuck,
    "unstuck": _unstuck,
    "deadlines_moved": _deadlines_moved,
    "settled": _settled,
    "ended": _ended,
    "foreign_edit": _foreign_edit,
    "note": _note,
    "ignored": _ignored,
}
