"""Checks for what is only for this machine: loopback addresses, and requests that no other web page has sent."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from fastapi import Request

from http_api.problems import Problem


def is_loopback(host: str) -> bool:
    """Is it an address that only this machine reaches? Of names only `localhost` counts."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def require_this_machine(request: Request) -> None:
    """A FastAPI dependency: anybody on this machine is let in without a key, web pages of others get 403.

    A browser on this machine sends what any web page tells it to. Its `Origin` header says whose page that is; its
    `Host` header unmasks a foreign host name that was made to resolve to our address.
    """
    host, origin = request.headers.get("host", ""), request.headers.get("origin")
    foreign = origin is not None and origin != f"{request.scope['scheme']}://{host}"
    if foreign or not is_loopback(_name_in(host)):
        raise Problem("forbidden", "This is for callers on this machine, not for web pages of others.")


def _name_in(host: str) -> str:
    """The name or address in a Host header; empty when it has none."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
