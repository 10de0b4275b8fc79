"""Single calls on an idle shop, over one kept-alive connection with as little of a client as there can be."""

from __future__ import annotations

import json
from datetime import datetime
from http.client import HTTPConnection
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from benchmarks.figures import Figures, percentile
from http_api.keys import KeyRing
from http_api.operators import Operators
from messaging.database import Database
from shop_manager.dashboard.logins import Logins

TIMES = 50
PAGES = 15
WHO = "bench"
HOME = "/dashboard"


class Caller:
    """Calls a shop with a server key. RuntimeError when a call is refused."""

    def __init__(self, url: str, key: str) -> None:
        parts = urlsplit(url)
        self._connection = HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def close(self) -> None:
        self._connection.close()

    def start_anew(self) -> None:
        """With a new connection: a shop closes one that was idle for long."""
        self._connection.close()
        self._connection.connect()

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """The JSON that is answered; None where nothing has changed (304)."""
        text = self.text(method, path, None if body is None else json.dumps(body), **headers)
        return json.loads(text) if text else None

    def text(self, method: str, path: str, body: str | None = None, **headers: str) -> bytes:
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        self._connection.request(method, path, body, self._headers | more)
        response = self._connection.getresponse()
        text = response.read()
        if response.status >= 300 and response.status != 304:
            raise RuntimeError(f"{method} {path} was answered with {response.status}: {text[:300]!r}")
        return text

    def seconds_until_completed(self, session: Any) -> float:
        """Wait until this order is completed; from opened to completed, by its own times."""
        path = session["links"]["self"]
        while session["status"] != "completed":
            if session["status"] in ("failed", "canceled", "expired"):
                raise RuntimeError(f"{path} is {session['status']}")
            waiting = {"Prefer": "wait=20", "If-None-Match": f'"{session["version"]}"'}
            session = self.ask("GET", path, **waiting) or session
        opened, over = (datetime.fromisoformat(session[name]) for name in ("created_at", "updated_at"))
        return (over - opened).total_seconds()


def latencies(caller: Caller, session_path: str, database: Database) -> Figures:
    """Median times of single calls, in ms. `database`: ShopManager's, in which somebody is logged in."""
    cookie = {"Cookie": f"clerk_login={logged_in(database)}"}
    return {
        "get_session_p50_ms": _median(caller, session_path, TIMES, {}),
        "dashboard_home_p50_ms": _median(caller, HOME, PAGES, cookie),
    }


def _median(caller: Caller, path: str, times: int, headers: dict[str, str]) -> float:
    took = []
    for _ in range(times):
        began = monotonic()
        caller.text("GET", path, **headers)
        took.append(monotonic() - began)
    return percentile(took, 50) * 1000


def logged_in(database: Database) -> str:
    """The token of a dashboard login, made past the login page."""
    people = Operators(KeyRing(database))
    people.add_operator(WHO, "admin")
    operator = people.find(WHO)
    if operator is None:
        raise RuntimeError(f"operator {WHO} was just added, and is not there")
    return Logins(people).begin(operator, None).token
