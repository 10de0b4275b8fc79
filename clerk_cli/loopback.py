"""What is only for this machine: addresses that nobody else reaches, and callers that no web page has sent."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from fastapi import Request

from doors.problems import Problem


def is_loopback(host: str) -> bool:
    """Is it an address that only this machine reaches? Of names only `localhost` is believed."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def require_this_machine(request: Request) -> None:
    """A dependency: anybody on this machine, without a key; 403 for a web page of somebody else's.

    A browser here would carry a stranger's request to us: it says whose page has sent it (Origin), and to which name
    (Host), should a stranger's name lead to our address.
    """
    host, origin = request.headers.get("host", ""), request.headers.get("origin")
    foreign = origin is not None and origin != f"{request.scope['scheme']}://{host}"
    if foreign or not is_loopback(_name_in(host)):
        raise Problem("forbidden", "This is for callers on this machine, not for web pages of others.")


def _name_in(host: str) -> str:
    """The name or address in a Host header; blank when it has none."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
