"""What nobody sees is named, hides nothing, and is no reason (security S9, S10)."""

from __future__ import annotations

import sys
import unicodedata

import pytest

from domain.visible_text import UNSEEN, comparison_key, is_blank, shown

SEEN_FORMATS = {*range(0x0600, 0x0606), 0x06DD, 0x070F, 0x0890, 0x0891, 0x08E2, 0x110BD, 0x110CD}
"""Signs around numbers and words, which Unicode calls formats."""


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("pay\u200bpal", "pay⟨U+200B⟩pal"),
        ("\ufeffada", "⟨U+FEFF⟩ada"),
        ("one\u2028two\u2029three", "one⟨U+2028⟩two⟨U+2029⟩three"),
        ("one\x85two", "one⟨U+0085⟩two"),
        ("soft\xadhyphen", "soft⟨U+00AD⟩hyphen"),
        ("\u202egnp.exe", "⟨U+202E⟩gnp.exe"),
        ("\u2060\u2064\u3164\ufe01", "⟨U+2060⟩⟨U+2064⟩⟨U+3164⟩⟨U+FE01⟩"),
        ("tag\U000e0041", "tag⟨U+E0041⟩"),
        ("a\u200db", "a⟨U+200D⟩b"),
        ("\u200d👩", "⟨U+200D⟩👩"),
        ("a\ufe0f", "a⟨U+FE0F⟩"),
        ("\x00\x1b[2J\r", "⟨U+0000⟩⟨U+001B⟩[2J⟨U+000D⟩"),
        ("\ud800", "⟨U+D800⟩"),
        ("\ufffc", "⟨U+FFFC⟩"),
    ],
)
def test_S10_a_character_that_nobody_sees_is_shown_as_what_it_is(text: str, named: str) -> None:
    assert shown(text) == named


@pytest.mark.parametrize(
    "text", ["Zoë Šćř", "山田 太郎", "two\nlines\tand", "שלום", "👩‍🚀 a-b_c", "❤️ 1️⃣ 👩🏽‍🚒", "می‌خواهم", "क्‍ष", "", "∑"]
)
def test_what_people_really_write_is_shown_as_it_is(text: str) -> None:
    assert shown(text) == text


def test_S10_no_character_of_unicode_without_a_shape_is_forgotten() -> None:
    kinds = {"Cc", "Cf", "Zl", "Zp", "Cs"}
    unseen = {code for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) in kinds} - SEEN_FORMATS
    assert [hex(code) for code in sorted(unseen) if not UNSEEN.match(chr(code))] == []


@pytest.mark.parametrize(
    "text",
    ["", "  \t", "\u200b", "\ufeff \u2028", "\u3164", "\u2800", "\xa0\u3000", "\u0301", "\u0301\u200d\ufe0f", "\x85"],
)
def test_S9_a_text_of_which_nothing_is_seen_is_blank(text: str) -> None:
    assert is_blank(text)


@pytest.mark.parametrize("text", ["a", "\u200ba", "山", "ok 👍", "?", "é", "1"])
def test_a_text_of_which_something_is_seen_is_not_blank(text: str) -> None:
    assert not is_blank(text)


@pytest.mark.parametrize(
    "typed", ["Nora", "NORA", " nora ", "no\u200bra", "\ufeffnora", "ｎｏｒａ", "no\xadra", "no ra"]
)
def test_S2_names_that_differ_in_case_width_and_invisible_characters_only_are_one(typed: str) -> None:
    assert comparison_key(typed) == "nora"


def test_other_names_stay_other_names() -> None:
    assert len({comparison_key(name) for name in ("nora", "n0ra", "nоra", "nora-2", "nóra")}) == 5, "one о is Cyrillic"
