"""A running `clerk up --faults` for tests: put a fault in force, order something, wait for a state."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any

import httpx
import pytest

from clerk_cli.tests.processes import LIMIT, ClerkProcess, clerk

IMPATIENT = {"CLERK_RESEND_FIRST": "0.2", "CLERK_RESEND_MOST": "0.5", "CLERK_UNDO_TRIES": "2"}
"""Settings with which a Clerk that gets no answer is stuck within a second or two."""


class FaultyShop:
    """A running `clerk up --faults`, as the shop's backend and an operator use it; `running` is its process."""

    def __init__(self, running: ClerkProcess, data: Path) -> None:
        self.running = running
        self.data = data
        self.url = running.url  # waits until it is ready: then its credentials are there
        kept = json.loads((data / "credentials.json").read_text())
        self.server = {"Authorization": f"Bearer {kept['server_key']}"}
        self.warehouse = {"Authorization": f"Bearer {kept['warehouse_key']}"}
        self.operator = {"Authorization": f"Bearer {kept['operator']['key']}"}
        self.opened: list[str] = []

    def call(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> httpx.Response:
        given = self.server if headers is None else headers
        return httpx.request(method, self.url + path, json=body, headers=given, timeout=LIMIT)

    def put(self, service: str, fault: str, **more: Any) -> dict[str, Any]:
        response = self.call("POST", "/dev/faults", {"service": service, "fault": fault, **more})
        assert response.status_code in (200, 201), response.text
        content: dict[str, Any] = response.json()
        return content

    def send_raw(self, service: str, body: bytes, **more: Any) -> None:
        self.put(service, "send_raw", bytes=b64encode(body).decode(), **more)

    def lift(self) -> None:
        response = self.call("DELETE", "/dev/faults")
        assert (response.status_code, response.json()["data"]) == (200, [])

    def recover(self) -> None:
        """Lift all faults, and wait for the end of those orders that were stuck at a silent service."""
        silent = [each for each in self.opened if (self.stuck(each) or {}).get("kind") in ("no_answer", "overdue")]
        self.opened.clear()
        self.lift()
        for session in silent:
            self.ends(session)

    def in_force(self) -> list[dict[str, Any]]:
        response = self.call("GET", "/dev/faults")
        assert response.status_code == 200
        faults: list[dict[str, Any]] = response.json()["data"]
        return faults

    def order(self, token: str | None = "tok_ok") -> str:
        """Open a session with one bone and, if given, the payment token; returns its id."""
        payment = {"payment": {"token": token}} if token else {}
        response = self.call("POST", "/shop/session", {"items": [{"sku": "SQUEAKY-BONE", "quantity": 1}], **payment})
        assert response.status_code == 201, response.text
        self.opened.append(str(response.json()["id"]))
        return self.opened[-1]

    def cancel(self, session: str) -> None:
        assert self.call("POST", f"/shop/session/{session}/cancel").status_code == 202

    def session(self, session: str) -> dict[str, Any]:
        content: dict[str, Any] = self.call("GET", f"/shop/session/{session}").json()
        return content

    def step(self, session: str, step: str) -> str:
        return str(next(each["state"] for each in self.session(session)["progress"] if each["step"] == step))

    def reaches(self, session: str, step: str, state: str) -> None:
        self.until(lambda: self.step(session, step) == state, f"{step} {state}")

    def becomes(self, session: str, status: str) -> None:
        self.until(lambda: self.session(session)["status"] == status, f"{session} {status}")

    def ends(self, session: str) -> None:
        """In whatever way."""
        ends = ("completed", "failed", "canceled", "expired")
        self.until(lambda: self.session(session)["status"] in ends, f"{session} has ended")

    def stuck(self, session: str) -> dict[str, Any] | None:
        response = self.call("GET", f"/ops/clerks/{session}", headers=self.operator)
        found: dict[str, Any] | None = response.json()["stuck"]
        return found

    def is_stuck(self, session: str, kind: str) -> dict[str, Any]:
        self.until(lambda: (self.stuck(session) or {}).get("kind") == kind, f"stuck {kind}")
        return self.stuck(session) or {}

    def timeline(self, session: str) -> list[dict[str, Any]]:
        lines: list[dict[str, Any]] = self.call("GET", f"/ops/clerks/{session}/timeline", headers=self.operator).json()[
            "data"
        ]
        return lines

    def until(self, state: Callable[[], bool], what: str) -> None:
        """Wait for a state, with a limit."""
        end, pause = monotonic() + LIMIT, Event()
        while not state():
            if monotonic() > end:
                pytest.fail(f"not within {LIMIT:g} s: {what}; the shop said {self.running.errors!r}")
            pause.wait(0.02)


@contextmanager
def faulty_shop(folder: Path, *arguments: str, **variables: str) -> Iterator[FaultyShop]:
    """A `clerk up --faults` that is ready."""
    given = ("up", "--faults", "--port", "0", "--data", "data", *arguments)
    with clerk(*given, folder=folder, **{**IMPATIENT, **variables}) as running:
        yield FaultyShop(running, folder / "data")
