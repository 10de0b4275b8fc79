"""Whom a process trusts when it calls others over TLS: read once for all its clients, for each would take 0.8 MiB."""

from __future__ import annotations

import ssl
from functools import cache

import httpx


@cache
def authorities() -> ssl.SSLContext:
    """Those that httpx knows, whatever the environment says; for clients with `trust_env=False`."""
    return httpx.create_ssl_context(trust_env=False)
