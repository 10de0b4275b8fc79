"""Asks a service in another process whether it is ready, which checks it shows, and which version it is.

A service of before tells no version with it: that one's OpenAPI document is read for it, seldom.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import Any, NamedTuple

import httpx

from http_api.outgoing_tls import authorities

WITHIN = 3.0
"""Seconds that one answer may take."""
UNKNOWN = "unknown"
KEPT = 600.0
"""Seconds for which the version of a service of before is believed; less, when it was not ready meanwhile."""
Services = Mapping[str, str]


class Answered(NamedTuple):
    """`version` is None when it is not told. `trouble` is one line for who is not ready; `checks` as they are shown."""

    is_ready: bool
    version: str | None = None
    trouble: str = ""
    checks: Mapping[str, Any] = {}


def ask_readiness(client: httpx.Client, url: str) -> Answered:
    """Another program may be behind that address: nothing of its form is certain."""
    try:
        response = client.get(f"{url.rstrip('/')}/health/ready")
        content: object = response.json()
    except (httpx.HTTPError, ValueError) as error:
        return Answered(False, trouble=f"cannot be reached: {type(error).__name__}")
    body = content if isinstance(content, dict) else {}
    checks, status = body.get("checks"), response.status_code
    is_ready = status == httpx.codes.OK and body.get("status") == "ready"
    return Answered(
        is_ready,
        _text(body.get("version")),
        "" if is_ready else f"not ready: it answers {status}",
        checks if isinstance(checks, dict) else {},
    )


class VersionQuestion:
    """`transport` replaces the network. Its client is kept."""

    def __init__(self, transport: httpx.BaseTransport | None = None) -> None:
        self._client = httpx.Client(timeout=WITHIN, trust_env=False, verify=authorities(), transport=transport)
        self._published: dict[str, tuple[str, float]] = {}

    def ask(self, urls: Services) -> dict[str, Answered]:
        """All services at the same time, by name; of each that is ready there is a version, or UNKNOWN."""
        with ThreadPoolExecutor(max(1, len(urls)), thread_name_prefix="service-question") as threads:
            asked = {service: threads.submit(self._ask, url) for service, url in urls.items()}
            return {service: answer.result() for service, answer in asked.items()}

    def _ask(self, url: str) -> Answered:
        answered = ask_readiness(self._client, url)
        if not answered.is_ready:
            self._published.pop(url, None)
        if answered.version is not None or not answered.is_ready:
            return answered
        version, read_at = self._published.get(url, (UNKNOWN, float("-inf")))
        if monotonic() - read_at >= KEPT:
            version = _published_by(self._client, url)
            self._published[url] = version, monotonic()
        return answered._replace(version=version)


def _published_by(client: httpx.Client, url: str) -> str:
    try:
        document: object = client.get(f"{url.rstrip('/')}/openapi.json").json()
    except (httpx.HTTPError, ValueError):
        return UNKNOWN
    info = document.get("info") if isinstance(document, dict) else None
    return (_text(info.get("version")) if isinstance(info, dict) else None) or UNKNOWN


def _text(version: object) -> str | None:
    return version[:64] if isinstance(version, str) and version else None
