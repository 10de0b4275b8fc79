"""What is a card number, and what only looks a little like one (security S12)."""

from __future__ import annotations

import string
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from http_api.card_numbers import find_card_number, may_hold_card

VISA = "4242424242424242"
CARDS = [
    VISA,
    "4222222222222",
    "4000000000000000006",
    "5555555555554444",
    "2223003122003222",
    "378282246310005",
    "30569309025904",
    "36227206271667",
    "6011111111111117",
    "3566002020360505",
    "6200000000000005",
    "6759649826438453",
    "2200000000000004",
    "6362970000457013",  # Elo
    "5066991111111118",  # Elo
    "5090000000000018",  # Elo
    "6370950000000005",  # Hipercard
    "6062825624254001",  # Hipercard
    "5067230000009011",  # Elo
    "9792030000000000",  # Troy
    "3530111333300000",  # JCB
    "6521111111111110",  # RuPay
    "5078600000000003",  # Verve
    "2205000000000009",  # Borica
]


def with_check_digit(body: str) -> str:
    return next(body + digit for digit in string.digits if luhn(body + digit))


def luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


@pytest.mark.parametrize("card", CARDS)
def test_a_card_number_is_found_alone_and_within_a_sentence(card: str) -> None:
    assert find_card_number(card)
    assert find_card_number(f"please charge {card}, thanks")
    assert find_card_number(f"card={card}&cvc=123")
    assert find_card_number(f"Nr{card}x")


@pytest.mark.parametrize(
    "written",
    [
        "4242 4242 4242 4242",
        "4242-4242-4242-4242",
        "4242.4242.4242.4242",
        "4242  4242  4242  4242",
        "4242 - 4242 - 4242 - 4242",
        "3782 822463 10005",
        "3782-822463-10005",
        "3056 930902 5904",
        "4242 4242 4242 4242 123",
        "12/27 4242 4242 4242 4242",
        "4 2 4 2 4 2 4 2 4 2 4 2 4 2 4 2",
        "42 42 42 42 42 42 42 42",
        "4242\u00a04242\u00a04242\u00a04242",
        "4242\u20114242\u20114242\u20114242",
        "4242\u22124242\u22124242\u22124242",
        "4242\t4242\n4242\r\n4242",
        "４２４２４２４２４２４２４２４２",
        "４２４２　４２４２　４２４２　４２４２",
        "４２４２－４２４２－４２４２－４２４２",
        "٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢",
        "4242\u200b4242\u200b4242\u200b4242",
        "42424242\u00ad42424242",
        "+4242424242424242",
        "é4242424242424242",
        "4242424242424242123",
        "42424242424242421227123",
        "12274242424242424242",
        "424242424242424242424242",
        "0000424242424242424200000",
        "37828224631000512341227",
        "4242 424242424242",
        "424242424242 4242",
        "42424 24242 424242",
        "424 2424 2424 24242",
        "4242 4242 4242 4242123",
        "12274242 4242 4242 4242",
        "3782 822463 1000512",
        "4242,4242,4242,4242",
        "4242:4242:4242:4242",
        "4242|4242|4242|4242",
        "4242/4242/4242/4242",
        "4242;4242;4242;4242",
        "4242*4242*4242*4242",
        "(4242)(4242)(4242)(4242)",
        "4242 / 4242 / 4242 / 4242",
        "4242\u30fb4242\u30fb4242\u30fb4242",
        "4242\u30fc4242\u30fc4242\u30fc4242",
        "%34%32%34%32%34%32%34%32%34%32%34%32%34%32%34%32",
        "4242%204242%204242%204242",
        "4242%2520424242424242",
        "4242%1F4242%1f4242%1f4242",
        "%EF%BC%94242424242424242",
        "discount 10%4242424242424242",
        "४२४२४२४२४२४२४२४२",
        "𝟒𝟐𝟒𝟐𝟒𝟐𝟒𝟐𝟒𝟐𝟒𝟐𝟒𝟐𝟒𝟐",
        "四二四二四二四二四二四二四二四二",
        "42424242\U000e004342424242",
        "42424242\x1f42424242",
    ],
)
def test_S12_a_card_number_is_found_however_it_is_written(written: str) -> None:
    assert find_card_number(written)


@pytest.mark.parametrize(
    "harmless",
    [
        "",
        "4242424242424243",
        "1234567890123456",
        "0000000000000000",
        "1764000000123",
        "1764000000123456789",
        "2025-11-24T16:00:00.123Z",
        "20251124160000123",
        "+49 151 23456789",
        "+4915123456781",
        "+33 6 12 34 56 78",
        "0049 30 1234 5678",
        "(415) 555-2671",
        "web-88213",
        "ORD-2025-11-0000123",
        "4500012345",
        "550e8400-e29b-41d4-a716-446655440000",
        "42424242-4242-4242-4242-424242424242",
        "clk_4242424242424242424242424242424a",
        "clk_0193a4242424242424242b1234567890",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "192.168.100.200:8470",
        "2026-11-24 16:00 - 2026-11-25 17:30",
        "24.11.2026 16:00 bis 25.11.2026 17:30",
        "415-555-2671, 415-555-2672",
        "38, 39, 40, 41, 42, 43, 44",
        "203.0.113.7, 198.51.100.23, 10.0.0.1",
    ],
)
def test_ids_moments_phone_and_order_numbers_pass(harmless: str) -> None:
    assert not find_card_number(harmless)


@given(st.uuids())
def test_no_uuid_is_a_card_number(value: uuid.UUID) -> None:
    assert not find_card_number(str(value))
    assert not find_card_number(f"clk_{value.hex}/credit/1/do")


@given(st.integers(min_value=1_600_000_000_000, max_value=2_100_000_000_000))
def test_no_moment_in_milliseconds_is_a_card_number(moment: int) -> None:
    assert not find_card_number(str(moment))


@given(st.text("0123456789", min_size=14, max_size=14), st.text(max_size=20), st.text(max_size=20))
def test_every_visa_number_is_found_whatever_stands_around_it(rest: str, before: str, after: str) -> None:
    card = with_check_digit(f"4{rest}")
    assert find_card_number(f"{before} : {card} : {after}")


@given(st.text("0123456789", min_size=14, max_size=14))
def test_the_quick_look_never_misses_a_plain_number(rest: str) -> None:
    card = with_check_digit(f"4{rest}")
    assert may_hold_card(f'{{"a":"{card}"}}'.encode())


def test_the_quick_look_lets_an_ordinary_body_pass() -> None:
    assert not may_hold_card(b'{"items":[{"sku":"SQUEAKY-BONE","quantity":2}],"payment":{"token":"tok_ok"}}')


def test_S12_where_hundreds_of_numbers_begin_like_cards_none_is_looked_at() -> None:
    wrong = [f"42424242424242{number:02}" for number in range(100) if not luhn(f"42424242424242{number:02}")]
    assert not find_card_number(" x ".join(wrong))
    assert find_card_number(" x ".join(wrong * 5))
