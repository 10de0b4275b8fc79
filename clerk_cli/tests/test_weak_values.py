"""Passwords and secrets that keep nobody out are recognised, generated ones always pass (security S16)."""

from __future__ import annotations

import base64
import random
import re
import string
from pathlib import Path

import pytest

from clerk_cli.tests.processes import ROOT
from clerk_cli.weak_values import ENOUGH_BITS, bits_of, weak_password, weak_secret, weak_url

EXAMPLE_FILE = dict(re.findall(r"^(\w*PASSWORD)=(.+)$", Path(ROOT / ".env.example").read_text(), re.MULTILINE))


@pytest.mark.parametrize(
    "password",
    [
        *EXAMPLE_FILE.values(),
        "change-me", "changeme", "Change_Me!", "password", "Password123", "secret", "postgres", "POSTGRES", "clerk",
        "guest", "admin1", "an-example", "hunter2", "rabbitmq", "short", "1234567", "aaaaaaaaaaaa", "abababababab",
        "Summer2026", "qwertyuiop", "asdfghjkl123", "october2026", "1qaz2wsx3edc!", "clerkclerk",
    ],
)  # fmt: skip
def test_S16_a_password_that_everybody_tries_is_weak_and_is_not_said(password: str) -> None:
    why = weak_password(password)
    assert why is not None
    assert password not in why
    assert len(EXAMPLE_FILE) >= 8


def test_S16_a_password_that_is_the_users_name_is_weak() -> None:
    assert weak_password("shop_manager-x", "shop_manager-x") is not None
    assert weak_password("Shop-Manager-X", "shop_manager-x") is not None
    for password in ("shopshop", "shop2026shop", "Shop-Shop-1"):
        assert weak_password(password, "shop") is not None
    assert weak_password("shop_manager-x", "nora") is None


@pytest.mark.parametrize(
    ("url", "weak"),
    [
        ("amqp://guest:guest@rabbit/", True),
        ("amqp://rabbit/", True),  # RabbitMQ's clients say guest:guest then
        ("amqps://rabbit/", True),
        ("amqp://clerk:%63lerk@rabbit/", True),
        ("amqp://clerk:3f9c1b77e0a84d52@rabbit/", False),
        ("postgresql://postgres:postgres@db/x", True),
        ("postgresql://db/x?user=clerk&password=change-me", True),
        ("postgresql://clerk:3f9c1b77e0a84d52@db/x", False),
        ("postgresql://clerk@db/x", False),  # a certificate, a socket or a .pgpass says who it is
        ("sqlite:///x.db", False),
    ],
)
def test_S16_a_url_is_as_weak_as_its_password(url: str, weak: bool) -> None:
    assert (weak_url(url) is not None) == weak


@pytest.mark.parametrize(
    "secret",
    [
        "hunter2", "a" * 64, "abcd" * 16, "0123456789abcdef" * 4, "12345678901234567890123456789012", "0" * 32,
        "correct horse battery staple correct horse", "CorrectHorseBatteryStapleTroubadour2024",
        "my-secret-is-very-long-and-nobody-knows-it", "abcdefghijklmnopqrstuvwxyzABCDEF", "deadbeef" * 8,
        "example-secret-" + "3f9c1b77e0a84d52" * 2, "Tr0ub4dor&3" * 3, "f47ac10b-58cc-4372-a567-0e02b2c3d479",
        "3f9c1b77e0a84d52", "ichbineinsehrlangergeheimersatzohnezufall",
    ],
)  # fmt: skip
def test_S16_a_secret_of_less_than_128_bits_is_weak_and_is_not_said(secret: str) -> None:
    why = weak_secret(secret)
    assert why is not None
    assert secret not in why


def test_S16_what_is_generated_with_128_bits_passes() -> None:
    """The figures of random.Random(1) stand for those of `openssl rand`; none may be refused in ten thousand."""
    chance = random.Random(1)
    letters_and_digits = string.ascii_letters + string.digits
    for _ in range(2_000):
        for secret in (
            chance.randbytes(16).hex(),
            chance.randbytes(32).hex(),
            base64.b64encode(chance.randbytes(32)).decode(),
            base64.urlsafe_b64encode(chance.randbytes(32)).decode().rstrip("="),
            "whsec_" + "".join(chance.choices(letters_and_digits, k=32)),
        ):
            assert bits_of(secret) >= ENOUGH_BITS, secret
            assert weak_secret(secret) is None, secret


@pytest.mark.parametrize(
    ("secret", "bits"),
    [("3f9c1b77e0a84d520b6d2e819ca4f735", 128), ("48151623429108374650", 66), ("Zk3vN0tY8rQ1", 72), ("", 0)],
)
def test_bits_are_those_of_the_smallest_alphabet(secret: str, bits: int) -> None:
    assert bits_of(secret) == bits
