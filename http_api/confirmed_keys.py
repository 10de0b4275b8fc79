"""The keys of every service but ShopManager: none is taken that ShopManager has not confirmed in the last 25 seconds.

So a key that is revoked there, or expired, is refused everywhere within 30 s, whatever is down (security S2,
docs/decisions/054).
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple, Protocol

from http_api.keys import Holder, KeyFault, KeyRing, KeysUnavailable, digest_of, is_key

ASK_EVERY = 10.0
"""Seconds for which an answer is taken as it is."""
LONGEST = 25.0
"""Seconds for which it counts while ShopManager does not answer. With a question on its way that stays below 30."""
_REMEMBERED = 1000


class NoAnswer(Exception):
    """ShopManager does not say whose key it is. The message says why, without secrets."""


class CannotAnswer(NoAnswer):
    """It is of a version that has no such route: it is upgraded last."""


class KeyAuthority(Protocol):
    """Who is asked whose key it is."""

    def holder_of(self, plain: str, *, proven: bool) -> Holder | None:
        """None for a key that opens nothing. `proven`: its secret is right. Raises NoAnswer."""
        ...

    def fault_of(self, plain: str) -> KeyFault:
        """What the last answer of None was for; `unknown` when that is long ago. Asks nobody."""
        ...


class _Answer(NamedTuple):
    """`asked_at`, in seconds, is the moment before the question: what happens after it is not in the answer."""

    holder: Holder | None
    asked_at: float


class ConfirmedKeys:
    """Checks keys like a KeyRing. `own`: those in this service's own database, for which ShopManager is asked too.

    A key that was revoked in either place opens nothing: `clerk key revoke` writes into both. `clock` gives seconds.
    """

    def __init__(self, own: KeyRing, authority: KeyAuthority, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._own = own
        self._authority = authority
        self._clock = clock
        self._lock = threading.Lock()
        self._answers: OrderedDict[bytes, _Answer] = OrderedDict()
        self._asking: set[bytes] = set()

    def check(self, plain: str) -> Holder | None:
        """Whose key this is; None for one that opens nothing.

        KeysUnavailable while ShopManager has not confirmed it for too long; and SQLAlchemy's errors.
        """
        if not is_key(plain):
            return None
        digest = digest_of(plain)
        answer = self._recall(digest)
        if answer is not None and self._clock() - answer.asked_at < ASK_EVERY:
            return answer.holder
        own = self._own.check(plain)
        if own is None and self._own.has(plain):
            self._remember(digest, None)
            return None
        counts = answer is not None and self._clock() - answer.asked_at < LONGEST
        with self._lock:
            if answer is not None and counts and digest in self._asking:
                return answer.holder  # one question at a time is enough: if it hangs, only its own request does
            self._asking.add(digest)
        try:
            return self._ask(plain, digest, own, answer)
        finally:
            with self._lock:
                self._asking.discard(digest)

    def recall(self, plain: str) -> Holder | None:
        """Whose key this is, if it was confirmed a moment ago. Touches neither database nor network."""
        answer = self._recall(digest_of(plain))
        return answer.holder if answer is not None and self._clock() - answer.asked_at < ASK_EVERY else None

    def fault(self, plain: str) -> KeyFault:
        """Why the key opens nothing: as this service's own database says, or ShopManager."""
        fault = self._own.fault(plain)
        return self._authority.fault_of(plain) if fault == "unknown" else fault

    def known(self, plain: str) -> bool:
        """Was this key confirmed lately? Touches neither database nor network."""
        answer = self._recall(digest_of(plain))
        return answer is not None and answer.holder is not None and self._clock() - answer.asked_at < LONGEST

    def _ask(self, plain: str, digest: bytes, own: Holder | None, before: _Answer | None) -> Holder | None:
        asked_at = self._clock()
        try:
            holder = self._authority.holder_of(plain, proven=own is not None or before is not None)
        except CannotAnswer:
            holder = own
        except NoAnswer as error:
            if before is not None and (before.holder is None or self._clock() - before.asked_at < LONGEST):
                return before.holder  # a no counts until there is a yes
            raise KeysUnavailable(str(error)) from None
        # What fits no hash that we know is not remembered: anybody can make that up.
        proven = holder is not None or own is not None
        self._remember(digest, _Answer(holder, asked_at) if proven else None)
        return holder

    def _recall(self, digest: bytes) -> _Answer | None:
        with self._lock:
            return self._answers.get(digest)

    def _remember(self, digest: bytes, answer: _Answer | None) -> None:
        with self._lock:
            self._answers.pop(digest, None)
            if answer is not None:
                self._answers[digest] = answer
                if len(self._answers) > _REMEMBERED:
                    self._answers.popitem(last=False)
