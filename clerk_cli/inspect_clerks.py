"""`clerk list` and `clerk show`: prints Clerks and their timelines, as operators see them (docs/design/api.md)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from rich.console import Group
from rich.table import Table

from clerk_cli.client import ApiClient, operator_key, url_for
from clerk_cli.order_shown import money
from clerk_cli.terminal import console, grid, plain, print_json

_STYLES = {"completed": "green", "failed": "red", "canceled": "magenta", "expired": "magenta"}
_IN_COLUMNS = ("number", "at", "what", "step")


def run_list(*, stuck: bool, status: str | None, limit: int, url: str | None, data: Path | None, as_json: bool) -> None:
    """Print the Clerks that the filters select."""
    wanted = {"limit": str(limit)} | ({"stuck": "true"} if stuck else {}) | ({"status": status} if status else {})
    found = _api(url, data).call("GET", "/ops/clerks", params=wanted)
    if as_json:
        print_json(found)
        return
    console().print(_clerks(found["data"]) if found["data"] else plain("no such Clerks", "dim"))
    if found.get("has_more"):
        console().print(plain(f"there are more than these {len(found['data'])}: see --limit, --status", "dim"))


def run_show(clerk: str, *, url: str | None, data: Path | None, as_json: bool) -> None:
    """Print one Clerk and its timeline."""
    api, path = _api(url, data), f"/ops/clerks/{quote(clerk, safe='')}"
    found = api.call("GET", path)
    timeline = api.call("GET", f"{path}/timeline", params={"limit": "200"})["data"]
    if as_json:
        print_json({**found, "timeline": timeline})
        return
    console().print(Group(_clerks([found]), plain(""), _timeline(timeline)))


def _api(url: str | None, data: Path | None) -> ApiClient:
    return ApiClient(url_for(url, data), operator_key(data))


def _clerks(clerks: list[dict[str, Any]]) -> Table:
    table = grid("Clerk", "status", "step", "waits for", "customer", "total", "updated", "stuck")
    for each in clerks:
        total = each.get("total")
        table.add_row(
            plain(each["id"]),
            plain(each["status"], _STYLES.get(each["status"], "cyan")),
            plain(each.get("step") or ""),
            plain(each.get("waiting_for") or ""),
            plain(each.get("customer") or "guest"),
            plain("" if total is None else money(total, each.get("currency") or "")),
            plain(each.get("updated_at") or ""),
            plain(_stuck_text(each.get("stuck")), "red"),
        )
    return table


def _stuck_text(stuck: Mapping[str, Any] | None) -> str:
    if not stuck:
        return ""
    return f"{stuck.get('kind')} at {stuck.get('step')} ({stuck.get('service')}): {stuck.get('detail')}"


def _timeline(entries: list[dict[str, Any]]) -> Table:
    table = grid("", "at", "what", "step", "")
    for each in entries:
        more = {key: value for key, value in each.items() if key not in _IN_COLUMNS and value not in (None, "", {})}
        columns = [plain("" if each.get(name) is None else each[name]) for name in _IN_COLUMNS]
        table.add_row(*columns, plain(_more(more), "dim"))
    return table


def _more(more: Mapping[str, Any]) -> str:
    """The other fields of a timeline entry, short; documents are only shown with --json."""
    flat: dict[str, Any] = {}
    for key, value in more.items():
        flat |= value if isinstance(value, dict) else {key: value}
    words = {key: _word(value) for key, value in flat.items()}
    return "  ".join(f"{key}={word}" for key, word in words.items() if word)


def _word(value: Any) -> str:
    return str(value)[:60] if isinstance(value, (str, int, float)) else ""
