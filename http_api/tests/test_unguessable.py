"""Which Idempotency-Keys of callers without an access key are taken as ones that nobody can guess (security S1)."""

from __future__ import annotations

import base64
import random
import string
import uuid
from collections.abc import Callable

import pytest

from http_api import unguessable
from http_api.unguessable import is_unguessable

RANDOM = random.Random(7)
SAMPLES = 1500
"""Of each kind here. 100,000 of each were tried once, and by the arithmetic at most one in a million is refused."""


def _of(alphabet: str, length: int) -> Callable[[], str]:
    return lambda: "".join(RANDOM.choices(alphabet, k=length))


def _version_7() -> str:
    drawn = bytearray(RANDOM.randbytes(16))
    drawn[:6] = (1_796_000_000_000 + RANDOM.randrange(10**9)).to_bytes(6, "big")
    drawn[6], drawn[8] = drawn[6] & 0x0F | 0x70, drawn[8] & 0x3F | 0x80
    return str(uuid.UUID(bytes=bytes(drawn)))


DRAWN: dict[str, Callable[[], str]] = {
    "UUID version 4": lambda: str(uuid.UUID(bytes=RANDOM.randbytes(16), version=4)),
    "UUID version 7": _version_7,
    "hex": lambda: RANDOM.randbytes(16).hex(),
    "short hex": lambda: RANDOM.randbytes(11).hex(),
    "capital hex": lambda: RANDOM.randbytes(16).hex().upper(),
    "base64": lambda: base64.b64encode(RANDOM.randbytes(16)).decode(),
    "base64url": lambda: base64.urlsafe_b64encode(RANDOM.randbytes(16)).decode().rstrip("="),
    "long base64url": lambda: base64.urlsafe_b64encode(RANDOM.randbytes(32)).decode().rstrip("="),
    "base62": _of(string.ascii_letters + string.digits, 22),
    "base36": _of(string.ascii_lowercase + string.digits, 25),
    "ULID": _of("0123456789ABCDEFGHJKMNPQRSTVWXYZ", 26),
    "with a name in front": lambda: f"order-{uuid.UUID(bytes=RANDOM.randbytes(16), version=4)}",
}


@pytest.mark.parametrize("draw", DRAWN.values(), ids=DRAWN)
def test_S1_what_was_drawn_at_random_is_taken(draw: Callable[[], str]) -> None:
    assert [text for text in (draw() for _ in range(SAMPLES)) if not is_unguessable(text)] == []


def test_no_expert_gives_more_than_one_to_all_characters_together() -> None:
    alphabet = string.ascii_letters + string.digits + "-_"
    for text in ("", "a", "Z", "cart-", "order20", "customerA", "aB1-", "abcabc", "qwertz"):
        given = [unguessable._foretold(text + character, len(text), character) for character in alphabet]
        assert all(sum(chances) <= 1.000001 for chances in zip(*given, strict=True)), text


def test_S1_a_strong_key_may_be_written_in_any_of_these_ways() -> None:
    for text in (
        "F81D4FAE-7DEC-4D0A-A765-00A0C91E6BF6", "cli-9f3b2c1e-7a64-4f0d-8e21-6b5d9c07a1f3", "q83vEjRWeJCrze8SNFZ4kA==",
        "9a/7+Kx02LmQeWv1TzBcRg==", "01ARZ3NDEKTSV4RRFFQ69G5FAV", "cart_Vq3nX8sLr0ZtYw5Bc7JkPd",
        "9f8e2b7c1d0a4e63b5f701",
    ):  # fmt: skip
        assert is_unguessable(text), text


GUESSABLE = """
1 order-1 guest-1 3q2-7wAAbcDEfgHIjkLMn 9f8e2b7c1d0a4e63b5f70 f81d4fae:7dec:4d0a:a765
aaaaaaaaaaaaaaaaaaaaaa 00000000-0000-0000-0000-000000000000 ffffffff-ffff-ffff-ffff-ffffffffffff
00000000-0000-4000-8000-000000000001 11111111-2222-3333-4444-555555555555 12345678-1234-1234-1234-123456789012
11111111-2222-4333-8444-555555555555 12345678-1234-4234-8234-123456789012 123e4567-e89b-12d3-a456-426614174000
20261130-0001-4000-8000-000000000001 00000001-0000-4000-8000-0000000a0b0c ea7d7856-ec57-11f1-8771-02fc00000001
f81d4fae-7dec-11d0-a765-00a0c91e6bf6 f81d4fae-7dec-31d0-a765-00a0c91e6bf6 1f0cdd01-7dec-61d0-a765-00a0c91e6bf6
0123456789abcdef0123456789abcdef 00112233445566778899aabbccddeeff deadbeefdeadbeefdeadbeefdeadbeef
cafebabe00000000cafebabe00000001 31415926535897932384626433832795 00000000000000000001764463680000
20261130010203040506070809101112 abcdefghijklmnopqrstuvwxyz zyxwvutsrqponmlkjihgfe AbCdEfGhIjKlMnOpQrStUvWx
1234567890123456789012 314159265358979323846264338327 abcabcabcabcabcabcabcabc a1a1a1a1a1a1a1a1a1a1a1a1
abc123abc123abc123abc123 a1b2c3d4e5f6g7h8i9j0k1l2 1q2w3e4r5t6y7u8i9o0p1q2w 1qaz2wsx3edc4rfv5tgb6yhn
qwertyuiopasdfghjklzxcvbnm qazwsxedcrfvtgbyhnujmikolp guest-guest-guest-guest order-1-order-1-order-1
my-first-order-of-today my-very-first-order-in-this-shop order-2026-11-30-customer-ada-0007
2026-11-30-order-for-ada-lovelace checkout-cart-0000-user-1001 invoice_2026_11_30_customer_17
shoppingcart-of-customer-17 client-order-1764463680000 1764463680000-ada-shoppingcart-1 customer42order1000000001
passwordpasswordpassword1234 iloveyouiloveyou20261130 ordernumber0000000000000042 session-squeaky-toys-ada-1
clk_01a229ed6f3d79c78cabe1bf15fc29f6 Order20261130CustomerAdaLovelace1 ORDER-2026-11-30-CUSTOMER-0007
MaryHadALittleLamb20261130 adalovelace1815december10 cart_00000000000000000000017 2026-11-30T01-02-03-456-order
mueller-friedrich-bestellung-2026 bestellungkundefriedrich20261130 user-4711-order-0815-attempt-1
retry_3_of_order_4711_for_ada paymentIntentForOrder4711Attempt2 ThisIsMySecretIdempotencyKey1
squeakybone2squeakyball3squeakyrope1 www-example-com-checkout-17 johnsmith1985johnsmith1985
correcthorsebatterystaple S3cr3tP4ssw0rdS3cr3tP4ssw0rd kundenummer-4711-warenkorb-0815
"""


@pytest.mark.parametrize("text", ["", "ada@example.com", "order number 7 of Ada", *GUESSABLE.split()])
def test_S1_what_somebody_else_may_choose_too_can_be_guessed(text: str) -> None:
    assert not is_unguessable(text)
