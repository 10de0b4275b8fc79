"""Who is calling, as FastAPI dependencies (api.md, Who is calling). The key ring is found at `app.state.keys`."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Literal

from fastapi import Depends, Request
from fastapi.security import HTTPBearer

from doors.keys import ROLES, KeyRing, Role
from doors.problems import Problem
from doors.request import bearer

Kind = Literal["nobody", "customer", "server", "warehouse", "operator"]
_CLIENT_SECRET = re.compile(r"cs_[A-Za-z0-9_-]{1,200}")


@dataclass(frozen=True, slots=True)
class Caller:
    """`role` is set for operators, `name` for keys, `secret_sha256` (hex) for customers: not yet proven to fit."""

    kind: Kind
    role: Role | None = None
    name: str | None = None
    secret_sha256: str | None = field(default=None, repr=False)


NOBODY = Caller("nobody")

# These only draw the locks in the OpenAPI document; `caller` reads the header itself.
_any_bearer = HTTPBearer(scheme_name="bearer", auto_error=False, description="`cs_…`, `sk_…`, `wk_…` or `op_…`")
_server_key = HTTPBearer(scheme_name="server_key", auto_error=False, description="the shop's backend: `sk_…`")
_warehouse_key = HTTPBearer(scheme_name="warehouse_key", auto_error=False, description="the warehouse: `wk_…`")
_operator_key = HTTPBearer(scheme_name="operator_key", auto_error=False, description="an operator's script: `op_…`")


def identify(request: Request) -> Caller:
    """The caller named by `Authorization: Bearer …`; NOBODY without one.

    Problem 401 for a malformed, unknown or revoked one, the same for all. A customer's `cs_…` is only read here: what
    it may open is for `may_act_on` to say.
    """
    try:
        token = bearer(request.scope)
    except ValueError:
        raise Problem("unauthorized") from None
    if token is None:
        return NOBODY
    if token.startswith("cs_"):
        if _CLIENT_SECRET.fullmatch(token) is None:
            raise Problem("unauthorized")
        return Caller("customer", secret_sha256=hashlib.sha256(token.encode()).hexdigest())
    ring: KeyRing = request.app.state.keys
    holder = ring.check(token)
    if holder is None:
        raise Problem("unauthorized")
    return Caller(holder.scope, holder.role, holder.name)


def caller(request: Request, _shown: Annotated[object, Depends(_any_bearer)] = None) -> Caller:
    """The dependency for doors that are open to several kinds of callers, or to everybody."""
    return identify(request)


def may_act_on(who: Caller, secret_sha256: str) -> bool:
    """Is this the customer whose session has that secret (SHA-256, hex)? False for everybody else, keys too."""
    given = who.secret_sha256 or ""
    return who.kind == "customer" and hmac.compare_digest(given.encode(), secret_sha256.lower().encode())


def require_server(request: Request, _shown: Annotated[object, Depends(_server_key)] = None) -> Caller:
    """Only `sk_…`; 401 without credentials, 403 with others."""
    return _one_of(request, "server")


def require_warehouse(request: Request, _shown: Annotated[object, Depends(_warehouse_key)] = None) -> Caller:
    """Only `wk_…`."""
    return _one_of(request, "warehouse")


def require_server_or_warehouse(
    request: Request,
    _server: Annotated[object, Depends(_server_key)] = None,
    _warehouse: Annotated[object, Depends(_warehouse_key)] = None,
) -> Caller:
    """`sk_…` or `wk_…`."""
    return _one_of(request, "server", "warehouse")


def require_server_or_operator(
    request: Request,
    _server: Annotated[object, Depends(_server_key)] = None,
    _operator: Annotated[object, Depends(_operator_key)] = None,
) -> Caller:
    """`sk_…`, or `op_…` of any role."""
    return _one_of(request, "server", "operator")


def require_operator(role: Role) -> Callable[..., Caller]:
    """A dependency: only `op_…` of this role or a higher one (viewer < operator < admin)."""

    def required(request: Request, _shown: Annotated[object, Depends(_operator_key)] = None) -> Caller:
        who = _one_of(request, "operator")
        if not has_role(who, role):
            raise Problem("forbidden", f"This needs the role {role}.")
        return who

    return required


def has_role(who: Caller, role: Role) -> bool:
    """Has the caller this role, or one that may do more?"""
    return who.role is not None and ROLES.index(who.role) >= ROLES.index(role)


def _one_of(request: Request, *kinds: Kind) -> Caller:
    who = identify(request)
    if who.kind == "nobody":
        raise Problem("unauthorized")
    if who.kind not in kinds:
        raise Problem("forbidden")
    return who
