"""The HTTP client of the scenario tests: an answer has the expected status, or the test fails."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import httpx

from scenario_tests.harness import Harness


class Refusal(NamedTuple):
    """An answer that refuses: status and problem code, `(409, "past_the_pivot")`."""

    status: int
    code: str


class ApiClient:
    """Requests to the services of one harness. `urls`: base URLs to use instead of the harness's, by service."""

    def __init__(self, harness: Harness, urls: Mapping[str, str] | None = None) -> None:
        self.harness = harness
        self._urls = urls or {}
        self._client = httpx.Client(timeout=30.0, trust_env=False)

    def ask(
        self, method: str, service: str, path: str, key: str, json: Any = None, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """The answer, whatever its status is."""
        known = {"Authorization": f"Bearer {key}"} if key else {}
        base = self._urls.get(service) or self.harness.url_of(service)
        return self._client.request(method, base + path, json=json, headers={**known, **(headers or {})})

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

    @contextmanager
    def stream(self, service: str, path: str, key: str) -> Iterator[Refusal | None]:
        """An event stream that is open while the block lasts; the refusal when there is none."""
        base, headers = self._urls.get(service) or self.harness.url_of(service), {"Authorization": f"Bearer {key}"}
        with self._client.stream("GET", base + path, headers=headers) as answer:
            if answer.status_code != 200:
                answer.read()
            yield None if answer.status_code == 200 else Refusal(answer.status_code, answer.json()["code"])

    def close(self) -> None:
        self._client.close()


def content_of(answer: httpx.Response, *expected: int) -> Any:
    """The JSON of an answer that must have one of the expected statuses."""
    if answer.status_code not in expected:
        raise AssertionError(
            f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {answer.text[:500]}"
        )
    return answer.json()
