"""How an order looks in the terminal: one line a step, live on a terminal, line by line in a pipe."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rich.live import Live
from rich.table import Table
from rich.text import Text

from clerk_cli.terminal import console, grid, plain
from domain.money import decimal

Session = Mapping[str, Any]
ENDS = frozenset({"completed", "failed", "canceled", "expired"})
_LOOKS = {
    "to_do": ("·", "dim"),
    "asked": ("…", "cyan"),
    "waiting": ("…", "yellow"),
    "done": ("✓", "green"),
    "refused": ("✗", "red"),
    "undoing": ("↶", "yellow"),
    "undone": ("↶", "magenta"),
    "skipped": ("·", "dim"),
}


def watched(versions: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Show each version as it comes, and at the end how it went; returns the last."""
    out = console()
    last = _live(versions) if out.is_terminal else _line_by_line(versions)
    out.print(summary(last))
    return last


def _live(versions: Iterable[dict[str, Any]]) -> dict[str, Any]:
    last: dict[str, Any] = {}
    with Live(console=console(), auto_refresh=False) as live:
        for last in versions:
            live.update(steps(last), refresh=True)
    return last


def _line_by_line(versions: Iterable[dict[str, Any]]) -> dict[str, Any]:
    last: dict[str, Any] = {}
    for version in versions:
        for line in changes(last, version):
            print(line, flush=True)
        last = version
    return last


def changes(before: Session, after: Session) -> list[str]:
    """What is new in `after`: `credit done`, one line for each step that changed, in the order of their moments."""
    known = {each["step"]: each["state"] for each in before.get("progress", ())}
    new = [each for each in after.get("progress", ()) if known.get(each["step"], "to_do") != each["state"]]
    new.sort(key=lambda each: str(each.get("at") or "9"))  # what has no moment did not happen: it comes last
    return [plain(f"{each['step']} {each['state']}").plain for each in new]


def steps(session: Session) -> Table:
    """The order's progress: a row for each step."""
    table = grid("", "step", "state")
    table.show_header = False
    for each in session.get("progress", ()):
        sign, style = _LOOKS.get(each["state"], ("?", ""))
        table.add_row(Text(sign, style), plain(each["step"]), plain(each["state"], style))
    return table


def summary(session: Session) -> Text:
    """One line: `clk_…: completed, 25.90 EUR`, with what went wrong and what happens with the money."""
    text = f"{session['id']}: {session['status']}"
    if session.get("items"):
        text += f", {money(session['total'], session.get('currency') or '')}"
    failure = session.get("failure")
    if failure:
        text += f", because of {failure.get('code')} at {failure.get('step')}: {failure.get('detail')}"
        text += f" ({failure.get('money')})" if failure.get("money") else ""
    return plain(text, {"completed": "green", "failed": "red"}.get(session["status"], ""))


def money(amount: int, currency: str) -> str:
    """Minor units as people write them: `2590, EUR` → `25.90 EUR`; `currency` may be empty."""
    return f"{decimal(amount, currency)} {currency}".strip()
