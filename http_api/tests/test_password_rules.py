"""Which passwords an operator may choose (security S2)."""

from __future__ import annotations

import secrets

import pytest

from http_api.password_rules import why_not


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("", "12 characters"),
        ("eleven-char", "12 characters"),
        ("x" * 1001, "1000 characters"),
        ("noranoranora", "your name"),
        ("NORA-is-great!", "your name"),
        ("no\u200bra-is-great!", "your name"),
        ("aaaaaaaaaaaa", "guess"),
        ("abcabcabcabc", "guess"),
        ("123456789012", "guess"),
        ("098765432109", "guess"),
        ("202511291130", "guess"),
        ("qwertyuiop[]"[:10] + "as", "guess"),
        ("abcdefghijkl", "guess"),
        ("1q2w3e4r5t6y", "guess"),
        ("password1234", "guess"),
        ("P@ssw0rd!2026", "guess"),
        ("Welcome2026!!", "guess"),
        ("correctcorrect", "guess"),
        ("ChangeMe12345!", "guess"),
        ("squeaky-toys-1", "guess"),
        ("qwertyuiop12", "guess"),
        ("asdfghjkl123", "guess"),
        ("12zxcvbnm345", "guess"),
        ("1qaz2wsx3edc!", "guess"),
        ("lkjhgfdsa2026!", "guess"),
        ("December2026", "guess"),
        ("frühling2026!", "guess"),
        ("9x!a9x!a9x!a", "guess"),
        ("admin-admin-admin", "guess"),
    ],
)
def test_S2_a_password_that_is_short_a_name_or_obvious_is_refused(password: str, why: str) -> None:
    assert why in (why_not(password, "nora") or "")


@pytest.mark.parametrize(
    "password", ["correct horse battery", "Gräfin Zahl & Ida", "tHx1138-b0wl-lamp", "ein Löffel Senf", "asdf81!kW92xLq"]
)
def test_S2_any_other_password_may_be_chosen(password: str) -> None:
    assert why_not(password, "nora") is None


def test_S2_what_we_make_ourselves_is_allowed() -> None:
    for _ in range(50):
        assert why_not(secrets.token_urlsafe(18), "nora-of-the-night") is None


def test_S2_a_name_of_a_few_letters_may_be_a_part_of_it() -> None:
    assert why_not("a lamp on a table", "al") is None
    assert why_not("alalalalalal", "al") is not None
