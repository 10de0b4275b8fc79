"""Calls a running shop's API over HTTP. Whatever goes wrong is a CliError: one clear line."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from clerk_cli.data_folder import Credentials, read_address, read_credentials
from clerk_cli.errors import CliError
from clerk_cli.weak_settings import require_strong_folder
from messaging.secret_files import BadSecretFile, read_secret
from messaging.server_urls import mask_url

DEFAULT_URL, DEFAULT_DATA = "http://127.0.0.1:8470", Path(".clerk")
OPERATOR_KEY = "CLERK_OPERATOR_KEY"
TIMEOUT = httpx.Timeout(30.0, connect=5.0)


def url_for(url: str | None, data: Path | None) -> str:
    """Where the shop is: --url, else CLERK_URL, else where the data folder's shop listened last."""
    found = url or os.environ.get("CLERK_URL") or read_address(data or DEFAULT_DATA) or DEFAULT_URL
    try:
        parsed = httpx.URL(found)
    except httpx.InvalidURL:
        parsed = httpx.URL("")
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise CliError(f"shop URL {mask_url(found)!r} cannot be used: allowed is http://HOST:PORT or https://…")
    return found.rstrip("/")


def credentials_in(data: Path | None, wanted: str) -> Credentials:
    """The credentials of the data folder; without any a CliError that begins with `wanted`: what they are for."""
    folder = data or DEFAULT_DATA
    require_strong_folder(folder)
    found = read_credentials(folder)
    if found is None:
        raise CliError(
            f"{wanted}, and there is none in {str(folder)!r}: name the data folder of `clerk up` with --data"
        )
    return found


def operator_key(data: Path | None) -> str:
    """The operator's key: of CLERK_OPERATOR_KEY, or of the file that CLERK_OPERATOR_KEY_FILE names, else of `data`."""
    given, file = (os.environ.get(name) for name in (OPERATOR_KEY, f"{OPERATOR_KEY}_FILE"))
    if given and file:
        raise CliError(f"{OPERATOR_KEY} and {OPERATOR_KEY}_FILE are both set: only one of them may be")
    try:
        key = read_secret(f"{OPERATOR_KEY}_FILE", file) if file else given
    except BadSecretFile as error:
        raise CliError(str(error)) from None
    return key or credentials_in(data, "this needs an operator's key").operator_key


class ApiClient:
    """A shop's API for one principal; `key` is any of the bearer keys, or None."""

    def __init__(self, url: str, key: str | None = None) -> None:
        self.url = url
        headers = {"User-Agent": "clerk", **({"Authorization": f"Bearer {key}"} if key else {})}
        self._client = httpx.Client(base_url=url, headers=headers, timeout=TIMEOUT, trust_env=False)

    def call(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        """The JSON object in the response; CliError with the shop's own words when it refuses."""
        try:
            response = self._client.request(method, path, **more)
        except httpx.HTTPError as error:
            raise self.unreachable(error) from None
        return self.content(response)

    @contextmanager
    def stream(self, path: str, headers: Mapping[str, str]) -> Iterator[httpx.Response]:
        """An open response, to be read line by line; raises httpx's errors while it is read."""
        with self._client.stream("GET", path, headers=headers) as response:
            if response.status_code != 200:
                response.read()
                self.content(response)
            yield response

    def content(self, response: httpx.Response) -> dict[str, Any]:
        """The response's JSON object; CliError when it is an error, or no JSON object."""
        try:
            content = response.json()
        except ValueError:
            content = None
        if not isinstance(content, dict):
            raise CliError(f"{mask_url(self.url)} answers {response.status_code}, but not as a shop's API does")
        if response.is_error:
            raise CliError(f"the shop refuses ({response.status_code} {content.get('code')}): {_words(content)}")
        return content

    def unreachable(self, error: httpx.HTTPError) -> CliError:
        """The CliError to raise when no response came."""
        why = "it does not answer in time" if isinstance(error, httpx.TimeoutException) else str(error) or "no answer"
        return CliError(f"no shop can be reached at {mask_url(self.url)}: {why}")


def _words(problem: Mapping[str, Any]) -> str:
    wrong = problem.get("errors")
    if isinstance(wrong, list):
        return "; ".join(f"{each.get('param')}: {each.get('detail')}" for each in wrong if isinstance(each, dict))
    return str(problem.get("detail") or problem.get("title"))
