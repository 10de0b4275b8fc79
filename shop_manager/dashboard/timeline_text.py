"""A Clerk's timeline in sentences: what happened, who did it, and what it led to. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from shop_manager.dashboard.formatting import absolute
from shop_manager.operations.timeline import is_reply
from shop_manager.processes.definition import EVERYBODY, in_words
from shop_manager.saga.state import BY_OPERATOR


class TimelineSentence(NamedTuple):
    """`icon` is one of icons.html, `tone` one of app.css; `detail` stands below the text."""

    icon: str
    tone: str
    text: str
    detail: str = ""


Entry = Mapping[str, Any]
"""One line of `/ops/clerks/{id}/timeline`."""
Services = Mapping[str, str]
"""The service that each step asks."""


def sentence_of(entry: Entry, services: Services) -> TimelineSentence:
    """An entry that a later version has written, and this one does not know, is told by its name."""
    write = _WRITERS.get(entry["what"])
    if write is None:
        return TimelineSentence("dot", "quiet", entry["what"].replace("_", " ").capitalize())
    return write(entry, services)


def _who(entry: Entry, services: Services) -> str:
    return services.get(entry["step"] or "", "the service")


def _by(entry: Entry) -> str:
    """The operator who did it, if one did."""
    by = operator_in(entry)
    return f", by {by}" if by else ""


def operator_in(entry: Entry) -> str:
    """The name of who did it; `""` when nobody of us did."""
    return _name(entry["data"].get("by") or "")


def _name(by: str) -> str:
    """`operator:nora`, as history has it, without its prefix."""
    return by.removeprefix(BY_OPERATOR)


def why(data: Mapping[str, Any]) -> str:
    """`credit_exceeded: 2590 is more than …`."""
    return ": ".join(str(data[name]) for name in ("code", "detail", "internal") if data.get(name))


def _opened(entry: Entry, services: Services) -> TimelineSentence:
    data = entry["data"]
    rule = (data.get("chosen") or {}).get("rule")
    because = f"Chosen because {in_words(rule)}." if rule and rule != EVERYBODY else ""
    return TimelineSentence("cart", "quiet", f"The session was opened, on process {data.get('process')}", because)


def _asked(entry: Entry, services: Services) -> TimelineSentence:
    data, who = entry["data"], _who(entry, services)
    again = f", attempt {data['attempt']}" if data["attempt"] > 1 else ""
    undo = data["direction"] == "undo"
    sentence = f"{who} was asked to {'undo its part: ' if undo else ''}{data['command']}{again}{_by(entry)}"
    return TimelineSentence("back" if undo else "turning", "warn" if undo else "busy", sentence, _until(data))


def _until(data: Mapping[str, Any]) -> str:
    waits, deadline, reason = data.get("waits_for"), data.get("deadline"), data.get("reason")
    parts = [reason] if reason else []
    if waits:
        parts.append(f"It waits for the {waits}.")
    if deadline:
        parts.append(f"It has time until {absolute(deadline)}.")
    return " ".join(parts)


def _done(entry: Entry, services: Services) -> TimelineSentence:
    return TimelineSentence("check", "good", f"{_who(entry, services)} has done {entry['step']}")


def _undone(entry: Entry, services: Services) -> TimelineSentence:
    return TimelineSentence("back", "good", f"{_who(entry, services)} has undone {entry['step']}")


def _reported(entry: Entry, services: Services) -> TimelineSentence:
    """What a service has told while its step waits (M9): a cart as it is, or how the payment goes."""
    content, who = entry["data"].get("content") or {}, _who(entry, services)
    error = content.get("last_error") or {}
    if content.get("status") == "authorizing":
        return TimelineSentence("turning", "busy", f"{who} is asking the payment provider")
    if error:
        other = "no other one is taken" if error.get("code") == "too_many_cards" else "another one may be tried"
        return TimelineSentence("cross", "warn", f"{who}: a card was declined, {other}", why(error))
    if isinstance(content.get("items"), list):
        count = len(content["items"])
        return TimelineSentence("cart", "quiet", f"The cart has {count} article{'' if count == 1 else 's'} now")
    return TimelineSentence("dot", "quiet", f"{who} has told how far {entry['step']} is")


def _amended(entry: Entry, services: Services) -> TimelineSentence:
    data = entry["data"]
    fields = ", ".join(str(name).replace("_", " ") for name in data.get("fields") or [])
    return TimelineSentence("person", "quiet", f"The {data.get('by') or 'customer'} has changed: {fields}")


def _forgotten(entry: Entry, services: Services) -> TimelineSentence:
    sentence = f"The customer's name, e-mail, address and all notes were erased, by {_name(entry['data']['by'])}"
    return TimelineSentence("person", "quiet", sentence)


def _refused(entry: Entry, services: Services) -> TimelineSentence:
    return TimelineSentence("cross", "warn", f"{_who(entry, services)} refused {entry['step']}", why(entry["data"]))


def _cannot_undo(entry: Entry, services: Services) -> TimelineSentence:
    sentence = f"{_who(entry, services)} cannot undo {entry['step']} now"
    return TimelineSentence("alert", "bad", sentence, why(entry["data"]) + _anew(entry))


def _cannot_do(entry: Entry, services: Services) -> TimelineSentence:
    sentence = f"{_who(entry, services)} cannot do {entry['step']} now"
    return TimelineSentence("alert", "warn", sentence, why(entry["data"]) + _anew(entry))


def _anew(entry: Entry) -> str:
    at = entry["data"].get("retry_at")
    return f". It is asked anew at {absolute(at)}." if at else ""


def _turned_around(entry: Entry, services: Services) -> TimelineSentence:
    data = entry["data"]
    failure, by = data.get("failure") or {}, _name(data.get("by") or "ShopManager")
    cause = " ".join(filter(None, (why(failure), data.get("reason"))))
    sentence = f"The order turned around, by {by}: what was done is undone, and it will end {data['ending']}"
    return TimelineSentence("back", "warn", sentence, cause)


def _stuck(entry: Entry, services: Services) -> TimelineSentence:
    data = entry["data"]
    kind = data["kind"].replace("_", " ")
    if data.get("since"):
        again = f"Stuck at {entry['step']} for another reason now: {kind}"
        return TimelineSentence("alert", "bad", again, why(data))
    sentence = f"Stuck at {entry['step']}: {kind}, it needs a person or {data['service']}"
    return TimelineSentence("alert", "bad", sentence, why(data))


def _unstuck(entry: Entry, services: Services) -> TimelineSentence:
    return TimelineSentence("check", "good", f"No longer stuck at {entry['step']}")


def _deadlines_moved(entry: Entry, services: Services) -> TimelineSentence:
    data = entry["data"]
    moved = [f"the session's to {absolute(data['expires_at'])}"] if data.get("expires_at") else []
    moved += [f"the step's to {absolute(data['deadline'])}"] if data.get("deadline") else []
    why = data.get("reason") or data.get("why") or ""
    return TimelineSentence("clock", "quiet", f"Deadlines were moved{_by(entry)}: {', '.join(moved)}", why)


def _settled(entry: Entry, services: Services) -> TimelineSentence:
    data = entry["data"]
    kept = "" if data.get("undo") or data["outcome"] != "done" else "; it will not be undone later"
    sentence = f"{entry['step']} was settled by hand as {data['outcome']}{_by(entry)}{kept}"
    detail = " ".join(filter(None, (data.get("evidence"), data.get("reason"))))
    return TimelineSentence("hand", "warn", sentence, detail)


def _ended(entry: Entry, services: Services) -> TimelineSentence:
    status = entry["data"]["status"]
    icon, tone = ("check", "good") if status == "completed" else ("cross", "quiet")
    return TimelineSentence(icon, tone, f"The order ended: {status}")


def _foreign_edit(entry: Entry, services: Services) -> TimelineSentence:
    data = entry["data"]
    sections = ", ".join(data.get("sections") or [])
    sentence = f"{data.get('by') or _who(entry, services)} sent changes of parts that are not its own: {sections}"
    return TimelineSentence("alert", "warn", sentence, "They were not taken over.")


def _note(entry: Entry, services: Services) -> TimelineSentence:
    return TimelineSentence("person", "quiet", f"Note{_by(entry)}", str(entry["data"].get("text") or ""))


def _ignored(entry: Entry, services: Services) -> TimelineSentence:
    message = entry["message"]
    if not is_reply(message):
        sentence = f"Somebody wanted it {message.rpartition('/')[2]}: too late"
        return TimelineSentence("dot", "quiet", sentence, entry["reason"])
    if entry["outcome"] == "report":
        sentence = f"A report of {_who(entry, services)} on {entry['step']} was ignored"
        return TimelineSentence("dot", "quiet", sentence, f"{entry['reason'].capitalize()}. It changed nothing.")
    asked = message.removesuffix("/reply")
    sentence = f"A reply of {_who(entry, services)} was ignored: it said {entry['outcome']} to {asked}"
    return TimelineSentence("dot", "quiet", sentence, f"{entry['reason'].capitalize()}. It changed nothing.")


_WRITERS: dict[str, Callable[[Entry, Services], TimelineSentence]] = {
    "opened": _opened,
    "asked": _asked,
    "done": _done,
    "undone": _undone,
    "refused": _refused,
    "reported": _reported,
    "amended": _amended,
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
    "forgotten": _forgotten,
    "ignored": _ignored,
}
