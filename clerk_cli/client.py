"""Calls a running shop's API; whatever goes wrong on the way is one clear line."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from clerk_cli.data_folder import Credentials, read_address, read_credentials
from clerk_cli.errors import Trouble

DEFAULT_URL, DEFAULT_DATA = "http://127.0.0.1:8470", Path(".clerk")
TIMEOUT = httpx.Timeout(30.0, connect=5.0)


def url_for(url: str | None, data: Path | None) -> str:
    """Where the shop is: --url, else CLERK_URL, else where the data folder's shop listened last."""
    found = url or os.environ.get("CLERK_URL") or read_address(data or DEFAULT_DATA) or DEFAULT_URL
    try:
        parsed = httpx.URL(found)
    except httpx.InvalidURL:
        parsed = httpx.URL("")
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise Trouble(f"shop URL {found!r} cannot be used: allowed is http://HOST:PORT or https://…")
    return found.rstrip("/")


def credentials_in(data: Path | None, wanted: str) -> Credentials:
    """Those of the data folder; Trouble says for what they are `wanted`."""
    folder = data or DEFAULT_DATA
    found = read_credentials(folder)
    if found is None:
        raise Trouble(f"{wanted}, and there is none in {str(folder)!r}: name the data folder of `clerk up` with --data")
    return found


class Api:
    """A shop's API for one caller; `key` is any of the bearer keys, or none."""

    def __init__(self, url: str, key: str | None = None) -> None:
        self.url = url
        headers = {"User-Agent": "clerk", **({"Authorization": f"Bearer {key}"} if key else {})}
        self._client = httpx.Client(base_url=url, headers=headers, timeout=TIMEOUT, trust_env=False)

    def call(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        """The JSON object that is answered; Trouble with the shop's own words when it refuses."""
        try:
            answer = self._client.request(method, path, **more)
        except httpx.HTTPError as error:
            raise self.unreachable(error) from None
        return self.content(answer)

    @contextmanager
    def stream(self, path: str, headers: Mapping[str, str]) -> Iterator[httpx.Response]:
        """An open answer, to be read line by line; raises httpx's errors while it is read."""
        with self._client.stream("GET", path, headers=headers) as answer:
            if answer.status_code != 200:
                answer.read()
                self.content(answer)
            yield answer

    def content(self, answer: httpx.Response) -> dict[str, Any]:
        """The answer's JSON object; Trouble when it is an error or none."""
        try:
            content = answer.json()
        except ValueError:
            content = None
        if not isinstance(content, dict):
            raise Trouble(f"{self.url} answers {answer.status_code}, but not as a shop's API does")
        if answer.is_error:
            raise Trouble(f"the shop refuses ({answer.status_code} {content.get('code')}): {_words(content)}")
        return content

    def unreachable(self, error: httpx.HTTPError) -> Trouble:
        """The same for every failure on the way."""
        why = "it does not answer in time" if isinstance(error, httpx.TimeoutException) else str(error) or "no answer"
        return Trouble(f"no shop can be reached at {self.url}: {why}")


def _words(problem: Mapping[str, Any]) -> str:
    wrong = problem.get("errors")
    if isinstance(wrong, list):
        return "; ".join(f"{each.get('param')}: {each.get('detail')}" for each in wrong if isinstance(each, dict))
    return str(problem.get("detail") or problem.get("title"))
