"""What is set about the OpenID provider that may vouch for operators, and what its word makes of somebody."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from domain.visible_text import UNSEEN
from http_api.keys import ROLES, Role
from http_api.principals import ELSEWHERE

CALLBACK = "/dashboard/login/oidc/callback"
_SUBJECT = re.compile(r"[!-~]{1,64}")
_LONGEST = 128
"""Characters of a name, as the audit keeps it."""


class NotVouchedFor(Exception):
    """The provider's answer is not valid; the message is for the log and the audit, not for the browser."""


class ProviderUnavailable(Exception):
    """The provider does not answer, or too many calls wait for it."""


class BegunLogin(NamedTuple):
    """A login that goes to `url`; the rest is kept until it comes back."""

    url: str
    state: str
    nonce: str
    verifier: str


class VouchedFor(NamedTuple):
    """Somebody whom the provider knows. `role` is None for somebody to whom it gives none."""

    name: str
    role: Role | None


@dataclass(frozen=True, slots=True)
class OpenIdOptions:
    """`roles`: which value of the claim `role_claim` means which role; `redirect_uri` is ours, exactly."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str
    role_claim: str
    roles: Mapping[str, Role]
    scope: str = "openid profile"

    @property
    def id(self) -> str:
        """Names issuer and client: logins under another one are over."""
        return hashlib.sha256(f"{self.issuer}\n{self.client_id}".encode()).hexdigest()

    def role_of(self, claims: Mapping[str, Any]) -> Role | None:
        """The highest of the roles that the claim gives; None when it gives none. A dot leads into a claim."""
        value: Any = claims
        for part in [self.role_claim] if self.role_claim in claims else self.role_claim.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        given = value if isinstance(value, list) else [value]
        found = [self.roles[each] for each in given if isinstance(each, str) and each in self.roles]
        return max(found, key=ROLES.index, default=None)


def name_of(claims: Mapping[str, Any]) -> str:
    """`oidc:SUBJECT SHOWN NAME`: the subject never changes, the rest is for people."""
    subject = str(claims["sub"])
    if not _SUBJECT.fullmatch(subject):
        subject = f"sha256-{hashlib.sha256(subject.encode('utf-8', 'replace')).hexdigest()[:40]}"
    given = next((claims[each] for each in ("name", "preferred_username") if isinstance(claims.get(each), str)), "")
    shown = " ".join(UNSEEN.sub(" ", given).split())
    return f"{ELSEWHERE}{subject} {shown}".strip()[:_LONGEST].strip()


def read_roles(text: str) -> dict[str, Role]:
    """`night=operator, admins=admin` → value → role; `""`: the roles' own names. ValueError says what is wrong."""
    if not text.strip():
        return {role: role for role in ROLES}
    found: dict[str, Role] = {}
    for pair in text.split(","):
        value, equals, role = (part.strip() for part in pair.rpartition("="))
        if not equals or not value or role not in ROLES:
            raise ValueError(f"allowed is VALUE=ROLE,…, and roles are {', '.join(ROLES)}")
        found[value] = role
    return found


def check_address(url: str) -> str:
    """An address of the provider's. ValueError unless it is https, or on this machine."""
    parts = urlsplit(url)
    here = parts.hostname in ("127.0.0.1", "::1", "localhost")
    if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and here)):
        raise ValueError("allowed is the https:// address of the provider, as its own configuration names it")
    return url


def check_issuer(url: str) -> str:
    """The issuer's URL, as the provider writes it."""
    parts = urlsplit(check_address(url))
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("the address of an issuer has no password, no query and no fragment")
    return url
