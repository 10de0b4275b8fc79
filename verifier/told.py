"""I13 as far as databases show it: what was answered under an Idempotency-Key is true, and one key is one Clerk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shop_manager import audit
from shop_manager.audit import KeyFacts
from verifier.drift import Drift
from verifier.facts import Databases
from verifier.remedies import BY_HAND, RESTORED

PAGE = 500


def check_told(databases: Databases) -> Iterator[Drift]:
    after = ("", "")
    while True:
        with databases["shop_manager"].read() as tx:
            keys = audit.keys_after(tx, after, PAGE)
            known = audit.known(tx, [each.clerk for each in keys])
        if not keys:
            break
        yield from _told(keys, known)
        after = (keys[-1].scope, keys[-1].key)
    with databases["shop_manager"].read() as tx:
        twice = audit.clerks_with_two_keys(tx)
    for clerk in twice:
        yield Drift("I13", clerk, "one Idempotency-Key is one Clerk", "it was made under several keys", BY_HAND)


def _told(keys: Sequence[KeyFacts], known: set[str]) -> Iterator[Drift]:
    for each in keys:
        if each.clerk not in known:
            found = "there is no such Clerk"
            yield Drift("I13", each.clerk, "a session whose opening was answered is there", found, RESTORED)
        if each.shown_id != each.clerk:
            found = f"the answer names {each.shown_id}"
            yield Drift("I13", each.clerk, "the answer under a key names the Clerk it made", found, BY_HAND)
