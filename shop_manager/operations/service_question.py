"""Asks the services in other processes whether they are ready, and which version each is.

The version is the one that a service's own OpenAPI document names: that everybody may read.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import httpx

WITHIN = 3.0
"""Seconds that one answer may take."""
UNKNOWN = "unknown"
Services = Mapping[str, str]


class Answered(NamedTuple):
    """`trouble` is one line for who is not ready."""

    is_ready: bool
    version: str = UNKNOWN
    trouble: str = ""


def ask_services(urls: Services, transport: httpx.BaseTransport | None = None) -> dict[str, Answered]:
    """All of them at the same time. `transport` replaces the network."""
    with (
        httpx.Client(timeout=WITHIN, trust_env=False, transport=transport) as client,
        ThreadPoolExecutor(max(1, len(urls)), thread_name_prefix="service-question") as threads,
    ):
        asked = {service: threads.submit(_ask, client, url.rstrip("/")) for service, url in urls.items()}
        return {service: answer.result() for service, answer in asked.items()}


def _ask(client: httpx.Client, url: str) -> Answered:
    try:
        response = client.get(f"{url}/health/ready")
        if response.status_code != httpx.codes.OK:
            return Answered(False, trouble=f"not ready: it answers {response.status_code}")
        return Answered(True, _version_in(client.get(f"{url}/openapi.json").json()))
    except (httpx.HTTPError, ValueError) as error:
        return Answered(False, trouble=f"cannot be reached: {type(error).__name__}")


def _version_in(document: object) -> str:
    """Another program may be behind that address: nothing of its form is certain."""
    info = document.get("info") if isinstance(document, dict) else None
    version = info.get("version") if isinstance(info, dict) else None
    return version[:64] if isinstance(version, str) and version else UNKNOWN
