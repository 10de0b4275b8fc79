"""Both ends of the question whose key this is: ShopManager's route, and the client with which the services ask it.

The question carries the key itself and nothing else: who has no key learns nothing, and the services need no secret of
their own for it (docs/decisions/054).
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import httpx
import structlog
from fastapi import APIRouter, Request

from domain.times import from_wire, to_wire
from http_api.answers import CurrentKey
from http_api.confirmed_keys import CannotAnswer, NoAnswer
from http_api.documented import ANY_KEY, documented
from http_api.keys import PREFIXES, ROLES, Holder, KeyFault, KeyRing, Role, digest_of
from http_api.principals import USELESS, Principal, credentials, require_kind, useless_key
from http_api.rate_limits import Buckets, Rate
from http_api.routes import Routes
from messaging.health_check import HealthCheck

PATH = "/keys/current"
ANSWERING = 4
"""Threads that answer. They are the route's own: the services ask while ShopManager's others wait for the services."""
ASKING = 8
"""Requests of one service that may ask, each on a thread of its own; those beyond it wait for half a second."""
PLACE_WITHIN = 0.5
TIMEOUTS = httpx.Timeout(2.0, connect=1.0)
PAUSE = 1.0
"""Seconds, as are these. So long nobody asks again after a question without an answer."""
REMEMBERED = 1000
"""Keys of which is remembered why they open nothing."""
STRANGERS = Rate(per_second=20, burst=40)
"""Questions about keys that this service has never seen: anybody can make them up."""
log = structlog.get_logger("http_api")


def key_router(ring: KeyRing) -> APIRouter:
    """ShopManager's route. `ring` holds the keys of the whole shop."""
    router = Routes(tags=["keys"])
    threads = ThreadPoolExecutor(ANSWERING, thread_name_prefix="keys")

    @router.get(PATH, **documented(CurrentKey, says="The key's holder.", shown_by=ANY_KEY))
    async def read_current_key(request: Request) -> dict[str, Any]:
        """Whose key this is that you call with, and until when it is good, as it is at this moment.

        With `password_change_required` it opens nothing until that person has chosen a password.
        """
        plain = credentials(request)
        if isinstance(plain, Principal):
            require_kind(plain, "server", "warehouse", "operator", "monitoring")
            raise useless_key("unknown")
        loop = asyncio.get_running_loop()
        holder = await loop.run_in_executor(threads, ring.check_now, plain)
        if holder is None:
            raise useless_key(await loop.run_in_executor(threads, ring.fault, plain))
        return as_json(holder)

    return router


def as_json(holder: Holder) -> dict[str, Any]:
    """`{id, scope, role, name, expires_at, password_change_required}`."""
    expires_at = None if holder.expires_at is None else to_wire(holder.expires_at)
    return {"id": holder.key_id, "scope": holder.scope, "role": holder.role, "name": holder.name,
            "expires_at": expires_at, "password_change_required": holder.must_change}  # fmt: skip


def read_holder(content: object, plain: str) -> Holder:
    """The holder in an answer about this key. ValueError when it is no such answer."""
    if not isinstance(content, dict):
        raise ValueError("no JSON object")
    prefix, key_id, _ = plain.split("_", 2)
    [scope] = [scope for scope, known in PREFIXES.items() if known == prefix]
    role, name, expires_at = (content.get(field) for field in ("role", "name", "expires_at"))
    if (content.get("id"), content.get("scope")) != (key_id, scope) or not isinstance(name, str):
        raise ValueError("it is about another key")
    if role not in ROLES if scope == "operator" else role is not None:
        raise ValueError("the role does not go with the key")
    moment = None if expires_at is None else from_wire(str(expires_at))
    must_change = content.get("password_change_required", False)  # versions before 060 do not say
    if not isinstance(must_change, bool):
        raise ValueError("password_change_required is neither true nor false")
    return Holder(key_id, scope, name, cast("Role | None", role), moment, must_change)


class ShopManagersKeys:
    """Asks the ShopManager at `url`; a `KeyAuthority`, from any thread. A ShopManager that hangs cannot take all
    threads of this service: few ask at a time, each for two seconds, and after a failure nobody does for a second.

    `transport` replaces the network, `clock` gives seconds.
    """

    def __init__(
        self,
        url: str,
        *,
        transport: httpx.BaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = httpx.Client(
            base_url=url,
            timeout=TIMEOUTS,
            limits=httpx.Limits(max_connections=ASKING, keepalive_expiry=2.0),  # the server closes idle ones after 5 s
            trust_env=False,
            follow_redirects=False,
            transport=transport,
        )
        self._clock = clock
        self._places = threading.Semaphore(ASKING)
        self._lock = threading.Lock()
        self._strangers = Buckets(1)
        self._not_before = float("-inf")
        self._trouble: str | None = None
        self._faults: OrderedDict[bytes, KeyFault] = OrderedDict()

    def holder_of(self, plain: str, *, proven: bool) -> Holder | None:
        """Whose key it is; None for one that opens nothing. NoAnswer when it cannot be asked or does not say."""
        self._check_pace(proven)
        if not self._places.acquire(timeout=PLACE_WITHIN):
            raise NoAnswer("too many wait for ShopManager's answer")
        try:
            holder = self._asked(plain)
        except CannotAnswer as error:
            self._note(str(error))
            raise
        except NoAnswer as error:
            with self._lock:
                self._not_before = self._clock() + PAUSE
            self._note(str(error))
            raise
        finally:
            self._places.release()
        self._note(None)
        return holder

    def fault_of(self, plain: str) -> KeyFault:
        """Why ShopManager said lately that the key opens nothing."""
        with self._lock:
            return self._faults.get(digest_of(plain), "unknown")

    def health(self) -> HealthCheck:
        """What came of the last question. Never red: customers need no keys, and are served all the same."""
        return HealthCheck(True, self._trouble or "ShopManager confirms them")

    def _check_pace(self, proven: bool) -> None:
        now = self._clock()
        with self._lock:
            if now < self._not_before:
                raise NoAnswer(self._trouble or "ShopManager did not answer a moment ago")
            if not proven and self._strangers.take("", STRANGERS, now):
                raise NoAnswer("too many keys that this service has never seen")

    def _asked(self, plain: str) -> Holder | None:
        try:
            response = self._client.get(PATH, headers={"Authorization": f"Bearer {plain}"})
            content: object = response.json()
        except (httpx.HTTPError, ValueError) as error:
            raise NoAnswer(f"ShopManager cannot be asked: {type(error).__name__}") from None
        if response.status_code == 401 and _code(content) == "unauthorized":
            self._remember_fault(plain, content)
            return None
        if response.status_code == 404 and _code(content) == "not_found":
            raise CannotAnswer("ShopManager is too old to be asked")
        try:
            if response.status_code != 200:
                raise ValueError(f"status {response.status_code}")
            return read_holder(content, plain)
        except ValueError as error:
            raise NoAnswer(f"ShopManager's answer is not understood: {error}") from None

    def _remember_fault(self, plain: str, problem: object) -> None:
        said = problem.get("detail") if isinstance(problem, Mapping) else None
        fault: KeyFault = next((fault for fault, sentence in USELESS.items() if sentence == said), "unknown")
        with self._lock:
            self._faults[digest_of(plain)] = fault
            if len(self._faults) > REMEMBERED:
                self._faults.popitem(last=False)

    def _note(self, trouble: str | None) -> None:
        """Log each change once, not each question."""
        with self._lock:
            before, self._trouble = self._trouble, trouble
        if trouble is not None and trouble != before:
            log.warning("keys_not_confirmed", trouble=trouble)
        elif trouble is None and before is not None:
            log.info("keys_confirmed_again")


def _code(content: object) -> object:
    return content.get("code") if isinstance(content, Mapping) else None
