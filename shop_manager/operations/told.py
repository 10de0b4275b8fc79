"""What a customer was told of an order, and when: the changes of the public session, from the history. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from domain.times import to_wire
from shop_manager.saga.state import HistoryEntry, Saga, evolve, fold
from shop_manager.sessions.view import public_session

_TOLD = ("status", "payment_status", "fulfillment_status")


def told(clerk: str, history: Sequence[HistoryEntry], steps: Sequence[str]) -> list[dict[str, Any]]:
    """In order, one line for each change that the customer could see: `{at, status, payment_status,
    fulfillment_status, text}`. `text` are the words for it that the session had beside these, else null.
    """
    lines: list[dict[str, Any]] = []
    for at, saga in _versions(clerk, history):
        session = public_session(saga, steps)
        line = {**{name: session[name] for name in _TOLD}, "text": _text(session)}
        if not lines or line != {name: lines[-1][name] for name in line}:
            lines.append({"at": to_wire(at), **line})
    return lines


def notes(history: Sequence[HistoryEntry]) -> list[dict[str, Any]]:
    """What operators have noted, in order: `{at, by, text}`."""
    noted = [entry for entry in history if entry.what == "note"]
    return [{"at": to_wire(each.at), "by": each.data.get("by"), "text": each.data.get("text")} for each in noted]


def _versions(clerk: str, history: Sequence[HistoryEntry]) -> Iterator[tuple[int, Saga]]:
    saga = fold(clerk, history[:1])
    yield history[0].at, saga
    for entry in history[1:]:
        saga = evolve(saga, entry)
        yield entry.at, saga


def _text(session: dict[str, Any]) -> str | None:
    """The failure with what happens to the money, the last declined card, or the notes to the customer."""
    failure, declined = session["failure"], session["last_payment_error"]
    if failure:
        return f"{failure['detail'] or failure['code']}: {failure['money']}"
    if declined:
        return str(declined["detail"] or declined["code"])
    return "; ".join(each["text"] for each in session["messages"]) or None
