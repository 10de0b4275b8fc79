"""URLs of databases and brokers: where user and password end, one put in, and the URL shown without it. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, unquote

MASK = "***"
_SECRET_NAME = re.compile(r"(?i)pass|secret|token|credential")
_URL = re.compile(r"([a-z][a-z0-9+.-]*://)(.*)", re.IGNORECASE | re.DOTALL)
_CLEAR = re.compile(r"(?:[^@/?#\[\]\\%\x00-\x1f\x7f]|%[0-9a-fA-F]{2})*")
"""What may stand before the `@`: anything else has to be percent-encoded, else each reader ends it elsewhere."""


class UnclearAccount(ValueError):
    """It cannot be told where user and password end. The message is one line, without anything of the URL."""


@dataclass(frozen=True, slots=True)
class Account:
    """With which a URL logs in, decoded; None is what it does not say."""

    user: str | None
    password: str | None


@dataclass(frozen=True, slots=True)
class _Parts:
    """`SCHEME://ACCOUNT@PLACE?QUERY`. The account ends at the last `@`; None without one. `mark` is the `?`."""

    scheme: str
    account: str | None
    place: str
    mark: str
    query: str


def check_account(url: str) -> None:
    """UnclearAccount when user or password have characters in them that end them too early, such as an `@` or `/`."""
    parts = _split(url)
    if parts is not None and not _CLEAR.fullmatch(parts.account or ""):
        raise UnclearAccount(
            "where its password ends cannot be told: in user and password each @ / ? # % [ ] \\ must be "
            "percent-encoded (%40 is an @)"
        )


def account_of(url: str) -> Account:
    """User and password of a checked URL, also when they are in its query."""
    parts = _split(url)
    if parts is None:
        return Account(None, None)
    user, _, password = (parts.account or "").partition(":")
    asked = dict(parse_qsl(parts.query))
    return Account(unquote(user) or asked.get("user"), unquote(password) or asked.get("password"))


def with_password(url: str, password: str) -> str:
    """The URL with this password, encoded. ValueError when it names no user before an `@`, or has a password."""
    check_account(url)
    parts = _split(url)
    if parts is None or not parts.account or parts.account.startswith(":"):
        raise ValueError("it names no user: allowed is postgresql://USER@HOST/… or amqp://USER@HOST/…")
    if account_of(url).password is not None:
        raise ValueError("it has a password already")
    account = f"{parts.account.rstrip(':')}:{quote(password, safe='')}"
    return f"{parts.scheme}{account}@{parts.place}{parts.mark}{parts.query}"


def mask(text: str, *, secret: bool) -> str:
    """`text` fit to be shown. A URL loses its password; anything else is hidden whole when it is `secret`."""
    if _URL.match(text):
        return mask_url(text)
    return MASK if secret and text else text


def mask_url(url: str) -> str:
    """The URL with `***` for its password and for each query value whose name says secret; `***` when it is no URL.

    Everything from the first colon to the last `@` counts as the password: a password may itself have `/` or `@` in it.
    Without an `@`, what follows the colon is masked unless it is a port: the host may have been forgotten.
    """
    parts = _split(url)
    if parts is None:
        return MASK
    query = _mask_query(parts.query)
    if parts.account is None:
        return f"{parts.scheme}{_mask_no_port(parts.place)}{parts.mark}{query}"
    user, colon, password = parts.account.partition(":")
    if _SECRET_NAME.search(parts.account.partition("?")[2]) or not _CLEAR.fullmatch(user.lstrip("[")):
        return f"{parts.scheme}{MASK}"  # perhaps the `@` is inside a secret of the query: where that ends nobody knows
    return f"{parts.scheme}{user}{colon}{MASK if password else ''}@{parts.place}{parts.mark}{query}"


def _split(url: str) -> _Parts | None:
    """None when it does not begin like a URL."""
    found = _URL.fullmatch(url)
    if found is None:
        return None
    account, at, rest = found.group(2).rpartition("@")
    place, mark, query = rest.partition("?")
    return _Parts(found.group(1), account if at else None, place, mark, query)


def _mask_no_port(place: str) -> str:
    """`HOST:PORT/…` as it is; anything but a port and all after it is masked."""
    address = place.partition("/")[0]
    literal, bracket, rest = address.rpartition("]")  # of an IPv6 address
    host, colon, port = rest.partition(":")
    if not colon or re.fullmatch(r"[0-9]{0,5}", port):
        return place
    return f"{literal}{bracket}{host}:{MASK}"


def _mask_query(query: str) -> str:
    pairs = (pair.partition("=") for pair in query.split("&"))
    return "&".join(
        f"{name}{equals}{MASK if _SECRET_NAME.search(unquote(name)) else value}" for name, equals, value in pairs
    )
