"""How values are shown: nothing that somebody typed can act, hide or turn the line around (security S10)."""

from __future__ import annotations

import pytest

from domain.times import days, hours, minutes, seconds
from domain.visible_text import UNSEEN
from shop_manager.dashboard.formatting import (
    absolute,
    breakable,
    clock,
    money,
    moneys,
    plain,
    relative,
    typable,
    with_times,
)
from shop_manager.dashboard.layout import ENVIRONMENT
from shop_manager.operations.formats import duration


def shown(value: str) -> str:
    return ENVIRONMENT.from_string("{{ value }}").render(value=value)


def test_S10_markup_is_text() -> None:
    assert shown("<script>alert(1)</script>") == "&lt;script&gt;alert(1)&lt;/script&gt;"
    assert shown("\"' onload=x") == "&#34;&#39; onload=x"


@pytest.mark.parametrize(
    "acting",
    ["\x1b[31mred", "a\x00b", "\u202egnp.exe", "\u2066x", "\x9b2J", "\rold", "\x7f", "\x85", "\u2028", "\u2029",
     "pay\u200bpal", "\ufeffx", "a\u200db", "\xad", "\u3164\u3164", "\U000e0041"],
)  # fmt: skip
def test_S10_characters_that_act_or_are_not_seen_are_named_instead(acting: str) -> None:
    text = shown(acting)
    assert "⟨U+" in text and not UNSEEN.search(text)


def test_what_people_really_write_stays_as_it_is() -> None:
    for text in ("Zoë Šćř", "山田 太郎", "two\nlines", "שלום", "👩‍🚀 a-b_c"):
        assert plain(text) == text


def test_S10_a_name_can_be_broken_at_its_capitals_and_stays_text() -> None:
    assert breakable("AuthorizePayment") == "Authorize<wbr>Payment"
    assert breakable("<i>Undo") == "&lt;i&gt;<wbr>Undo"


def test_money_is_shown_in_its_currency() -> None:
    assert [money(2590, "EUR"), money(120000, "CHF"), money(-5, "USD"), money(1200, "JPY"), money(None, "EUR")] == [
        "€25.90",
        "1,200.00 CHF",
        "−$0.05",
        "¥1,200",
        "",
    ]
    assert moneys({"EUR": 1, "CHF": 2}) == "0.02 CHF + €0.01" and moneys({}) == "none"


def test_times_are_relative_with_the_absolute_one_beside() -> None:
    now = 1_800_000_000_000
    assert relative(now - minutes(3), now) == "3 min ago"
    assert relative(now + seconds(40), now) == "in 40 s"
    assert relative(now - 400, now) == "now"
    assert relative("2027-01-15T08:00:00.000Z", now) == "now"
    assert absolute(now) == "2027-01-15 08:00:00 UTC" and clock(now) == "08:00:00"


def test_a_duration_has_its_two_largest_units_from_an_hour_on() -> None:
    lengths = [0, seconds(59), minutes(59.9), hours(1), hours(1) + minutes(5), days(2) + hours(3) + minutes(4)]
    assert [duration(length) for length in lengths] == ["0 s", "59 s", "59 min", "1 h", "1 h 5 min", "2 d 3 h"]


def test_moments_in_a_sentence_are_told_by_the_browser_and_everything_else_is_text() -> None:
    said = with_times("<b> it has time until 2026-11-25 03:55:12 UTC.")
    moment = 'datetime="2026-11-25T03:55:12.000Z" title="2026-11-25 03:55:12 UTC" data-clock'
    assert said == f"&lt;b&gt; it has time until <time {moment}>2026-11-25 03:55:12 UTC</time>."


def test_a_moment_of_a_whole_minute_is_shown_as_it_is_typed_and_any_other_as_it_is() -> None:
    assert typable("2026-11-30T13:00:00.000Z") == "2026-11-30 13:00 UTC"
    for text in ("2026-11-30T12:59:59.999Z", "1h", ""):
        assert typable(text) == text
