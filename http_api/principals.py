"""Who is calling, as FastAPI dependencies (docs/design/api.md, Who is calling). `app.state.keys` checks keys."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from fastapi import Depends, Request, params
from fastapi.concurrency import run_in_threadpool
from fastapi.security import HTTPBearer

from domain.visible_text import comparison_key
from http_api.access_check import KEY
from http_api.held_calls import GoOnCheck
from http_api.keys import ROLES, Holder, KeyCheck, KeyFault, KeysUnavailable, Role
from http_api.problems import Problem
from http_api.request import bearer, origin
from http_api.wrong_keys import WrongKeys
from messaging.database_errors import DATABASE_ERRORS

Kind = Literal["nobody", "customer", "server", "warehouse", "operator", "monitoring"]
ELSEWHERE = "oidc:"
"""Begins the names of operators who are known to an OpenID provider: then their subject, then the name it shows."""
LONGEST_KEY = 128
_CLIENT_SECRET = re.compile(r"cs_[A-Za-z0-9_-]{1,200}")


@dataclass(frozen=True, slots=True)
class Principal:
    """`role` is set for operators, `name` and `key_id` for keys, `secret_sha256` (hex) for customers: not yet proven
    to fit. Several keys may have one name: what belongs to one key goes by its id.
    """

    kind: Kind
    role: Role | None = None
    name: str | None = None
    secret_sha256: str | None = field(default=None, repr=False)
    key_id: str | None = None

    @property
    def is_unproven(self) -> bool:
        """Has the caller shown no access key? A customer's secret proves something for its own session only."""
        return self.kind in ("nobody", "customer")

    @property
    def stable_name(self) -> str:
        """What of the name stays the same for ever: a provider may show somebody under another name tomorrow."""
        return stable_part(self.name or self.kind)


def stable_part(name: str) -> str:
    """`oidc:4711 Nora Petersen` → `oidc:4711`; any other name as it is."""
    return name.partition(" ")[0] if name.startswith(ELSEWHERE) else name


def operator_key(name: str) -> str:
    """By what an operator is told from others, however the name is written: as tables hold it."""
    return comparison_key(stable_part(name))[:LONGEST_KEY]


NOBODY = Principal("nobody")
Shown = Literal["customer", "server", "warehouse", "operator", "monitoring"]
SHOWN_AS: Mapping[Kind, str] = {
    "nobody": "nothing",
    "customer": "the session's client secret (`cs_…`)",
    "server": "a server key (`sk_…`)",
    "warehouse": "a warehouse key (`wk_…`)",
    "operator": "an operator's key (`op_…`)",
    "monitoring": "a monitoring key (`mk_…`)",
}
"""What each kind of principal sends behind `Authorization: Bearer`."""
_AS_GIVEN = "send it whole, as it was given to you."
MALFORMED_HEADER = "The `Authorization` header is malformed: send one, of the form `Authorization: Bearer TOKEN`."
USELESS: Mapping[KeyFault, str] = {
    "malformed": "The token is malformed: an access key begins with `sk_`, `wk_`, `op_` or `mk_`, "
    f"a client secret with `cs_`: {_AS_GIVEN}",
    "unknown": "The access key is not known here: take one that `clerk key create` of this shop has made.",
    "revoked": "The access key was revoked: use another one.",
    "expired": "The access key has expired: make a new one.",
}
"""Why a token opens nothing. That a key was revoked or has expired is told to who has its whole secret only."""

# These only put the security schemes into the OpenAPI document; `identify` reads the header itself.
_customer_secret = HTTPBearer(
    scheme_name="customer_secret", auto_error=False, description="a session's customer: its `client_secret`, `cs_…`"
)
_server_key = HTTPBearer(scheme_name="server_key", auto_error=False, description="the shop's backend: `sk_…`")
_warehouse_key = HTTPBearer(scheme_name="warehouse_key", auto_error=False, description="the warehouse: `wk_…`")
_operator_key = HTTPBearer(scheme_name="operator_key", auto_error=False, description="an operator's script: `op_…`")
_monitoring_key = HTTPBearer(scheme_name="monitoring_key", auto_error=False, description="the monitoring: `mk_…`")
_SCHEMES: dict[Shown, HTTPBearer] = {
    "customer": _customer_secret,
    "server": _server_key,
    "warehouse": _warehouse_key,
    "operator": _operator_key,
    "monitoring": _monitoring_key,
}


def credentials(request: Request) -> Principal | str:
    """NOBODY without `Authorization`, the customer of a `cs_…`, or the key that is still to be checked.

    Problem 401 for a malformed header. A customer's secret is only read here: `may_act_on` says which session it fits.
    """
    try:
        token = bearer(request.scope)
    except ValueError:
        raise Problem("unauthorized", MALFORMED_HEADER, param="Authorization") from None
    if token is None:
        return NOBODY
    if not token.startswith("cs_"):
        return token
    if _CLIENT_SECRET.fullmatch(token) is None:
        raise Problem("unauthorized", f"The client secret is malformed: {_AS_GIVEN}", param="Authorization")
    return Principal("customer", secret_sha256=hashlib.sha256(token.encode()).hexdigest())


def identify(request: Request, *, lets_monitoring_in: bool = False) -> Principal:
    """The principal named by `Authorization: Bearer …`; NOBODY without that header.

    Problem 401 says whether the token is malformed, unknown, revoked or expired; 403 for the key of somebody who still
    has a first password, and for a monitoring key unless the caller lets it in; 503 while that cannot be found out.
    """
    found = credentials(request)
    if isinstance(found, Principal):
        return found
    keys: KeyCheck = request.app.state.keys
    if keys.known(found):
        holder = _holder_of(keys, found)
    else:
        wrong_keys: WrongKeys = request.app.state.wrong_keys
        with wrong_keys.counted(origin(request.scope).network) as is_wrong:
            holder = _holder_of(keys, found)
            if holder is None:
                is_wrong()
    if holder is None:
        raise useless_key(keys.fault(found))
    return _principal_of(holder, lets_monitoring_in=lets_monitoring_in)


async def identified(request: Request, *, lets_monitoring_in: bool = False) -> Principal:
    """The same in the event loop: in a thread only where the key has to be looked at."""
    found = credentials(request)
    if isinstance(found, Principal):
        return found
    keys: KeyCheck = request.app.state.keys
    holder = keys.recall(found)
    if holder is None:
        return await run_in_threadpool(identify, request, lets_monitoring_in=lets_monitoring_in)
    return _principal_of(holder, lets_monitoring_in=lets_monitoring_in)


def _principal_of(holder: Holder, *, lets_monitoring_in: bool) -> Principal:
    if holder.must_change:
        raise Problem(
            "password_change_required", "Log in on the dashboard and change the password, then the key works."
        )
    if holder.scope == "monitoring" and not lets_monitoring_in:
        raise Problem("forbidden", "A monitoring key opens `/metrics` and `/health/ready`, and nothing else.")
    return Principal(holder.scope, holder.role, holder.name, key_id=holder.key_id)


def _holder_of(keys: KeyCheck, plain: str) -> Holder | None:
    try:
        return keys.check(plain)
    except KeysUnavailable:
        detail = "Whether the key is good cannot be found out at the moment."
        raise Problem("service_unavailable", detail) from None


def go_on_check(request: Request, who: Principal) -> GoOnCheck | None:
    """For a call that stays open: is the access key still good, and for the same? None when no key was shown.

    A session's secret ends with its session, and so does all that stays open with it.
    """

    def may_go_on() -> bool:
        try:
            return identify(request) == who
        except (Problem, *DATABASE_ERRORS):
            return False

    return None if who.is_unproven else may_go_on


async def principal(request: Request) -> Principal:
    """The dependency of routes for several kinds of principals, or for everybody; the route names them with `shows`."""
    return await identified(request)


def principal_or_monitoring(request: Request) -> Principal:
    """The same for a route that a monitoring key may open."""
    return identify(request, lets_monitoring_in=True)


def shows(*kinds: Shown) -> list[params.Depends]:
    """For the OpenAPI document: the route is for callers who show one of these. It lets nobody in or out by itself."""
    return [Depends(_SCHEMES[kind]) for kind in kinds]


AnyPrincipal = Annotated[Principal, Depends(principal)]


async def network_of(request: Request, found: AnyPrincipal) -> str:
    """The network that a call without an access key comes from, for counting; of one with a key it is KEY."""
    return origin(request.scope).network if found.is_unproven else KEY


NetworkOf = Annotated[str, Depends(network_of)]


def may_act_on(principal: Principal, secret_sha256: str) -> bool:
    """Is this the customer whose session has that secret (SHA-256, hex)? False for everybody else, keys too."""
    given = principal.secret_sha256 or ""
    return principal.kind == "customer" and hmac.compare_digest(given.encode(), secret_sha256.lower().encode())


def is_server_or_owner(principal: Principal, secret_sha256: str) -> bool:
    """May the principal use the session with that secret? The server key may use any, a customer only the own."""
    return principal.kind == "server" or may_act_on(principal, secret_sha256)


async def require_server(request: Request, _shown: Annotated[object, Depends(_server_key)] = None) -> Principal:
    """Only `sk_…`; 401 without credentials, 403 with others."""
    return await _one_of(request, "server")


async def require_warehouse(request: Request, _shown: Annotated[object, Depends(_warehouse_key)] = None) -> Principal:
    """Only `wk_…`."""
    return await _one_of(request, "warehouse")


async def require_server_or_warehouse(
    request: Request,
    _server: Annotated[object, Depends(_server_key)] = None,
    _warehouse: Annotated[object, Depends(_warehouse_key)] = None,
) -> Principal:
    """`sk_…` or `wk_…`."""
    return await _one_of(request, "server", "warehouse")


async def require_server_or_operator(
    request: Request,
    _server: Annotated[object, Depends(_server_key)] = None,
    _operator: Annotated[object, Depends(_operator_key)] = None,
) -> Principal:
    """`sk_…`, or `op_…` of any role."""
    return await _one_of(request, "server", "operator")


def require_operator(role: Role) -> Callable[..., Awaitable[Principal]]:
    """A dependency: only `op_…` of this role or a higher one (viewer < support < operator < admin)."""

    async def required(request: Request, _shown: Annotated[object, Depends(_operator_key)] = None) -> Principal:
        operator = await _one_of(request, "operator")
        if not has_role(operator, role):
            raise wrong_role(role, operator.role)
        return operator

    return required


def has_role(principal: Principal, role: Role) -> bool:
    """Has the principal this role, or one that may do more?"""
    return principal.role is not None and ROLES.index(principal.role) >= ROLES.index(role)


def require_kind(found: Principal, *kinds: Kind) -> None:
    """Goes on when the principal is of one of these kinds; else Problem 401 without credentials, 403 with others."""
    needed = " or ".join(SHOWN_AS[kind] for kind in kinds)
    if found.kind == "nobody":
        detail = f"No credentials came with the request: send `Authorization: Bearer …` with {needed}."
        raise Problem("unauthorized", detail, param="Authorization")
    if found.kind not in kinds:
        detail = f"This needs {needed}, but {SHOWN_AS[found.kind]} came."
        raise Problem("forbidden", detail, param="Authorization")


def useless_key(fault: KeyFault) -> Problem:
    """The 401 for a token that opens nothing."""
    return Problem("unauthorized", USELESS[fault], param="Authorization")


def wrong_role(needed: Role, shown: Role | None) -> Problem:
    """The 403 for an operator who has too small a role."""
    higher = "" if needed == ROLES[-1] else " or a higher one"
    return Problem("forbidden", f"This needs the role {needed}{higher}; yours is {shown}.")


async def _one_of(request: Request, *kinds: Kind) -> Principal:
    found = await identified(request, lets_monitoring_in=True)  # who is refused hears what is needed, and what came
    require_kind(found, *kinds)
    return found
