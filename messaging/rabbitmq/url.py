"""RabbitMQ's URL: checked before anything connects, and shown without its password."""

from __future__ import annotations

from urllib.parse import SplitResult, unquote, urlsplit

from messaging.server_urls import UnclearAccount, check_account

_ALLOWED = "allowed is amqp://USER:PASSWORD@HOST:PORT/VHOST or amqps://…"


def check_amqp_url(url: str) -> str:
    """`url` as given when it names a RabbitMQ; else ValueError with one clear line, which never shows the password."""
    try:
        check_account(url)
        parts = urlsplit(url)
        port = parts.port
    except UnclearAccount as error:
        raise ValueError(f"broker URL: {error}") from None
    except ValueError:
        raise ValueError(f"broker URL cannot be read (host or port): {_ALLOWED}") from None
    if not parts.scheme:
        raise ValueError(f"broker URL names no protocol: {_ALLOWED}")
    if parts.scheme not in ("amqp", "amqps"):
        raise ValueError(f"broker URL {_shown(parts)!r}: {_ALLOWED}")
    if not parts.hostname:
        raise ValueError(f"broker URL {_shown(parts)!r} names no host: {_ALLOWED}")
    if port == 0:
        raise ValueError(f"broker URL {_shown(parts)!r}: port 0 is none: {_ALLOWED}")
    if (parts.username is None) != (parts.password is None):
        raise ValueError(f"broker URL {_shown(parts)!r} needs a user and a password, or neither: {_ALLOWED}")
    return url


def place(url: str) -> str:
    """`HOST:PORT/VHOST` of a checked URL: where it leads, for people, without user and password."""
    parts = urlsplit(url)
    port = parts.port or (5671 if parts.scheme == "amqps" else 5672)
    return f"{parts.hostname}:{port}/{parts.path[1:]}".rstrip("/")


def user_in(url: str) -> str:
    """As whom a checked URL logs in: without a user in it as `guest`, as RabbitMQ's clients do."""
    return unquote(urlsplit(url).username or "guest")


def vhost_in(url: str) -> str:
    """The virtual host of a checked URL: `/` unless it names another."""
    return unquote(urlsplit(url).path[1:]) or "/"


def _shown(parts: SplitResult) -> str:
    """Scheme and host only: anything else of a broken URL may be (part of) the password."""
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}"[:80]
