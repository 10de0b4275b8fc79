"""What was answered under an Idempotency-Key is true, and one key is one Clerk (I13, as far as databases show it)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shop_manager import facts as manager_facts
from shop_manager.facts import KeyFacts
from verifier.facts import Databases
from verifier.repairs import BY_HAND, RESTORED
from verifier.violation import Violation

PAGE = 500


def check_idempotency_keys(databases: Databases) -> Iterator[Violation]:
    after = ("", "")
    while True:
        with databases["shop_manager"].read() as tx:
            keys = manager_facts.keys_after(tx, after, PAGE)
            known = manager_facts.known(tx, [each.clerk for each in keys])
        if not keys:
            break
        yield from _saved_answers(keys, known)
        after = (keys[-1].scope, keys[-1].key)
    with databases["shop_manager"].read() as tx:
        twice = manager_facts.clerks_with_two_keys(tx)
    for clerk in twice:
        yield Violation("I13", clerk, "one Idempotency-Key is one Clerk", "it was made under several keys", BY_HAND)


def _saved_answers(keys: Sequence[KeyFacts], known: set[str]) -> Iterator[Violation]:
    for each in keys:
        if each.clerk not in known:
            found = "there is no such Clerk"
            yield Violation("I13", each.clerk, "a session whose opening was answered is there", found, RESTORED)
        if each.shown_id != each.clerk:
            found = f"the answer names {each.shown_id}"
            yield Violation("I13", each.clerk, "the answer under a key names the Clerk it made", found, BY_HAND)
