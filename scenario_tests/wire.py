"""HTTP as the tests speak it: one caller with one key, and answers that are either as expected or a failed test."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import httpx

from scenario_tests.stage import Stage


class Refusal(NamedTuple):
    """What a door answered instead: `(409, "past_the_pivot")`."""

    status: int
    code: str


class Wire:
    """Everybody's line to the doors of one stage. `doors`: other base URLs for some services, by name."""

    def __init__(self, stage: Stage, doors: Mapping[str, str] | None = None) -> None:
        self.stage = stage
        self._doors = doors or {}
        self._client = httpx.Client(timeout=30.0, trust_env=False)

    def ask(
        self, method: str, service: str, path: str, key: str, json: Any = None, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """The answer, whatever it is."""
        known = {"Authorization": f"Bearer {key}"} if key else {}
        door = self._doors.get(service) or self.stage.door(service)
        return self._client.request(method, door + path, json=json, headers={**known, **(headers or {})})

    def get(self, service: str, path: str, key: str) -> Any:
        return content_of(self.ask("GET", service, path, key), 200)

    def put(self, service: str, path: str, key: str, json: Any) -> Any:
        return content_of(self.ask("PUT", service, path, key, json), 200, 201)

    def try_post(self, service: str, path: str, key: str, json: Any = None) -> Refusal | None:
        """None when it was granted, else how it was refused."""
        answer = self.ask("POST", service, path, key, json)
        if answer.status_code < 300:
            return None
        return Refusal(answer.status_code, answer.json()["code"])

    def close(self) -> None:
        self._client.close()


def content_of(answer: httpx.Response, *expected: int) -> Any:
    """The JSON of an answer that must have one of the expected statuses."""
    if answer.status_code not in expected:
        raise AssertionError(
            f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {answer.text[:500]}"
        )
    return answer.json()
