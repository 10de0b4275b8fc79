"""Which pages of other origins may read our answers, as CLERK_ALLOWED_ORIGINS says: `https://shop.example`. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ORIGIN = re.compile(r"(https?)://((?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?")
_PORTS = {"http": "80", "https": "443"}


@dataclass(frozen=True, slots=True)
class AllowedOrigins:
    """Each as a browser writes it in `Origin`. `any_origin`: every page may."""

    origins: frozenset[str] = frozenset()
    any_origin: bool = False

    def __bool__(self) -> bool:
        return self.any_origin or bool(self.origins)

    def answer_to(self, origin: str | None) -> str | None:
        """What `Access-Control-Allow-Origin` says to this `Origin`; None: nothing."""
        if origin is None:
            return None
        return "*" if self.any_origin else origin if origin in self.origins else None


def read_origins(text: str) -> AllowedOrigins:
    """Origins between commas, or `*`; `""` is none. ValueError says what is wrong."""
    given = [each.strip() for each in text.split(",") if each.strip()]
    if "*" in given:
        if len(given) > 1:
            raise ValueError("`*` is every origin: allowed is `*` alone, or origins between commas")
        return AllowedOrigins(any_origin=True)
    return AllowedOrigins(frozenset(_read_one(each) for each in given))


def _read_one(text: str) -> str:
    found = _ORIGIN.fullmatch(text.lower())
    if found is None:
        raise ValueError(f"{text!r} {_trouble(text)}: allowed is https://NAME or http://NAME, with a port if need be")
    scheme, name, port = found.groups()
    if port is not None and not 0 < int(port) < 65_536:
        raise ValueError(f"{text!r} has no port that there is: allowed is 1 to 65535")
    return f"{scheme}://{name}" if port in (None, _PORTS[scheme]) else f"{scheme}://{name}:{int(port)}"


def _trouble(text: str) -> str:
    scheme, mark, rest = text.partition("://")
    if not mark:
        return "has no scheme"
    if scheme.lower() not in _PORTS:
        return "has another scheme"
    return "has a path, if only a slash at its end" if "/" in rest else "is no origin"
