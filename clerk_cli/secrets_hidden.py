"""Shows settings without their secrets: passwords inside URLs are masked, other secrets are hidden whole."""

from __future__ import annotations

import re

MASK = "***"
_TELLING = re.compile(r"(?i)pass|secret|token|credential")
_URL = re.compile(r"([a-z][a-z0-9+.-]*://)(.*)", re.IGNORECASE | re.DOTALL)


def mask(text: str, *, secret: bool) -> str:
    """`text` fit to be shown. A URL loses its password; anything else is hidden whole when it is `secret`."""
    if _URL.match(text):
        return mask_url(text)
    return MASK if secret and text else text


def mask_url(url: str) -> str:
    """The URL with `***` for its password and for each telling part of its query; all of it when it is none.

    Everything from the first colon to the last `@` counts as the password: rather too much than a part of one that
    has a slash in it.
    """
    found = _URL.fullmatch(url)
    if found is None:
        return MASK
    account, at, place = found.group(2).rpartition("@")
    user, colon, password = account.partition(":")
    place, mark, query = place.partition("?")
    return f"{found.group(1)}{user}{colon}{MASK if password else ''}{at}{place}{mark}{_mask_query(query)}"


def _mask_query(query: str) -> str:
    pairs = (pair.partition("=") for pair in query.split("&"))
    return "&".join(f"{name}{equals}{MASK if _TELLING.search(name) else value}" for name, equals, value in pairs)
