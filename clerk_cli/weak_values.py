"""Which passwords and secrets are too weak to keep anybody out. Pure; nothing here ever shows one."""

from __future__ import annotations

import math
import re
from itertools import pairwise

from http_api.password_rules import is_obvious
from messaging.server_urls import account_of

ENOUGH_BITS = 128
SHORTEST_PASSWORD = 8
KNOWN = frozenset(
    {
        "admin", "administrator", "changeit", "clerk", "clerkowner", "default", "demo", "dev", "development",
        "fulfillment", "guest", "hunter2", "letmein", "pass", "password", "passwort", "payment", "postgres",
        "postgresql", "qwerty", "rabbit", "rabbitmq", "risk", "root", "secret", "shop", "shopclerk", "shopmanager",
        "sesame", "test", "user", "welcome",
    }
)  # fmt: skip
"""Passwords that everybody tries: in small letters, letters and digits only. Digits behind one do not help."""
EXAMPLES = ("changeme", "example")
"""Whatever has these words in it is an example out of a file such as .env.example."""
WORDS = re.compile(r"(?i)passwor[dt]|secret|token|placeholder|replace|insert|your")
"""They count for nothing in a secret."""
LONG_RUN = 7
GENERATED = "take a generated one, as from `openssl rand -hex 32`"


def weak_password(password: str, user: str | None = None) -> str | None:
    """Why this password keeps nobody out, in words that go on from "it"; None when it may do."""
    if is_example(password) or is_obvious(password.lower()) or (user and _is_name(_bare(password), _bare(user))):
        return f"is an example or one that everybody tries first: {GENERATED}"
    if len(password) < SHORTEST_PASSWORD or len(set(password)) <= 2:
        return f"is soon guessed, at least {SHORTEST_PASSWORD} different characters are needed: {GENERATED}"
    return None


def weak_url(url: str) -> str | None:
    """Why others get in where this URL leads to as easily as we; in words that go on from "it"."""
    account = account_of(url)
    if url.startswith("amqp") and account.user is None:
        return (
            "names no user, which is RabbitMQ's guest with the password guest: allowed is amqp://USER:PASSWORD@HOST/ "
            "with a user made for this"
        )
    reason = None if account.password is None else weak_password(account.password, account.user)
    return reason and f"has a password that {reason}"


def weak_secret(secret: str) -> str | None:
    """Why this secret can be guessed, in words that go on from "it"; None when it cannot be."""
    if is_example(secret):
        return f"is an example: {GENERATED}"
    bits = bits_of(secret)
    if bits >= ENOUGH_BITS:
        return None
    return f"can be guessed, it has {bits} bits at most and {ENOUGH_BITS} are needed: {GENERATED}"


def is_example(text: str) -> bool:
    """Is it one that everybody knows?"""
    bare = _bare(text)
    return bare.rstrip("0123456789") in KNOWN or bare in KNOWN or any(word in bare for word in EXAMPLES)


def bits_of(secret: str) -> int:
    """How many bits a secret of this make has at most: a fair guess for generated text, a low one for other text."""
    if re.fullmatch(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}", secret):
        return 122  # the other six of a UUID are always the same
    counted = _without_runs(_without_repetition(WORDS.sub("", secret)))
    if len(set(counted)) < SHORTEST_PASSWORD:
        return 0
    return int(len(counted) * _bits_each(counted) + 1e-9)


def _bits_each(text: str) -> float:
    """Bits of one character, if each was drawn from the smallest usual alphabet that has all of them."""
    if _in_words(text):
        return 2.0
    for alphabet, size in ((r"[0-9]+", 10), (r"[0-9a-f]+|[0-9A-F]+", 16), (r"[0-9a-z]+|[0-9A-Z]+", 36)):
        if re.fullmatch(alphabet, text):
            return math.log2(size)
    return math.log2(64)


def _in_words(text: str) -> bool:
    """Is it a sentence, with blanks or the like in it or without? A letter of one has two bits at most.

    With: most of what is between the blanks is letters of one case, the first may be a capital. Without: nearly all of
    it is runs of four such letters or more with a vowel in them, and digits stand in one place at most.
    """
    parts = re.findall(r"[A-Za-z0-9]+", text)
    words = [part for part in parts if re.fullmatch(r"[A-Z]?[a-z]+|[A-Z]+", part)]
    if len(parts) >= 4 and len("".join(words)) >= 0.75 * len("".join(parts)):
        return True
    runs = [run for run in re.findall(r"[A-Z]?[a-z]{3,}|[A-Z]{4,}", text) if re.search(r"(?i)[aeiou]", run)]
    digits_inside = re.findall(r"[A-Za-z][0-9]+(?=[A-Za-z])", text)
    return len(digits_inside) < 2 and len("".join(runs)) >= 0.85 * len(text)


def _without_repetition(text: str) -> str:
    """The shortest beginning of which the text is a repetition; the text itself where it is none."""
    length = (text + text).find(text, 1)
    return text[:length] if 0 < length < len(text) else text


def _without_runs(text: str) -> str:
    """With only the first two of each run such as `aaaaaaa`, `1234567` or `gfedcba`: chance makes none so long."""
    steps = [ord(after) - ord(before) for before, after in pairwise(text)]
    kept, start = "", 0
    while start < len(text):
        end = start
        while end < len(steps) and steps[end] == steps[start] and abs(steps[start]) <= 1:
            end += 1
        long = end - start >= LONG_RUN - 1
        kept += text[start : start + (2 if long else 1)]
        start = end + 1 if long else start + 1
    return kept


def _is_name(password: str, user: str) -> bool:
    """Is it the name, once or more, perhaps with digits?"""
    return user in password and re.fullmatch("[0-9]*", password.replace(user, "")) is not None


def _bare(text: str) -> str:
    return re.sub(r"[\W_]", "", text).lower()
