"""Addresses of the web that somebody writes into a setting or a form, as far as they are alike. Pure."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit


def http_url(text: str) -> SplitResult | None:
    """The parts of `https://HOST/PATH`, or of `http://…`; None for all else, and for one with a name or a password."""
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        return None
    return parts if usable and parts.username is None and text.isascii() and text.isprintable() else None
