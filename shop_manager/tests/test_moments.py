"""Moments as people write them into a form: in an hour, tomorrow at nine, at an exact time; in their zone or UTC."""

from __future__ import annotations

import pytest

from domain.times import from_wire, to_wire
from shop_manager.operations.moments import ALLOWED, ALLOWED_OF_THE_PAST, age_of, moment_of, wire_moment

NOW = from_wire("2027-01-15T22:30:00Z")
BERLIN = "Europe/Berlin"


@pytest.mark.parametrize(
    ("text", "zone", "meant"),
    [
        ("in 30 minutes", "", "2027-01-15T23:00:00.000Z"),
        ("  In  2 HOURS ", BERLIN, "2027-01-16T00:30:00.000Z"),
        ("in an hour", "", "2027-01-15T23:30:00.000Z"),
        ("in 5 min", "", "2027-01-15T22:35:00.000Z"),
        ("in 3d", "", "2027-01-18T22:30:00.000Z"),
        ("tomorrow 9:00", "", "2027-01-16T09:00:00.000Z"),
        ("tomorrow at 9", BERLIN, "2027-01-16T08:00:00.000Z"),
        ("today 23:15", BERLIN, "2027-01-15T22:15:00.000Z"),
        ("2027-07-01 09:00", BERLIN, "2027-07-01T07:00:00.000Z"),
        ("2027-02-01T9:00", "", "2027-02-01T09:00:00.000Z"),
        ("2027-02-01 9:00:05 UTC", BERLIN, "2027-02-01T09:00:05.000Z"),
        ("2027-02-01T09:00:00.000Z", BERLIN, "2027-02-01T09:00:00.000Z"),
        ("2027-02-01T09:00+02:00", BERLIN, "2027-02-01T07:00:00.000Z"),
    ],
)
def test_a_moment_is_what_who_writes_it_means(text: str, zone: str, meant: str) -> None:
    assert to_wire(moment_of(text, NOW, zone)) == meant


def test_tomorrow_is_the_day_after_the_one_that_it_is_where_it_is_written() -> None:
    assert to_wire(moment_of("tomorrow 9:00", NOW, "Asia/Tokyo")) == "2027-01-17T00:00:00.000Z"


@pytest.mark.parametrize(
    "text",
    [
        "soon",
        "in 2",
        "in -1 hours",
        "tomorrow",
        "tomorrow 25:00",
        "2027-02-30 09:00",
        "2027-02-01",
        "9:00",
        "0000-01-01 00:00",
    ],
)
def test_anything_else_is_refused_with_what_is_allowed(text: str) -> None:
    with pytest.raises(ValueError, match="is no moment") as refused:
        moment_of(text, NOW)
    assert str(refused.value) == f"{text!r} is no moment: allowed are {ALLOWED}"


@pytest.mark.parametrize("zone", ["Mars/Base", "../etc/passwd", "x" * 300, "\x00"])
def test_a_zone_that_is_not_known_is_named_and_never_taken_for_another(zone: str) -> None:
    with pytest.raises(ValueError, match="is not known here: write 2026-12-01 09:00 UTC"):
        moment_of("tomorrow 9:00", NOW, zone)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2 hours ago", "2027-01-15T20:30:00.000Z"),
        ("an hour ago", "2027-01-15T21:30:00.000Z"),
        ("3h", "2027-01-15T19:30:00.000Z"),
        ("90", "2027-01-15T22:28:30.000Z"),
        ("yesterday 9:00", "2027-01-14T08:00:00.000Z"),
        ("2027-01-10", "2027-01-09T23:00:00.000Z"),
        ("2027-01-10 14:00", "2027-01-10T13:00:00.000Z"),
        ("2027-01-10T14:00:00Z", "2027-01-10T14:00:00.000Z"),
    ],
)
def test_of_what_has_happened_a_length_is_so_long_ago(text: str, meant: str) -> None:
    assert to_wire(moment_of(text, NOW, BERLIN, past=True)) == meant


def test_what_is_to_come_is_never_so_long_ago() -> None:
    for text in ("2 hours ago", "3h", "90"):
        with pytest.raises(ValueError, match="is no moment"):
            moment_of(text, NOW)
    with pytest.raises(ValueError, match="is no moment") as refused:
        moment_of("lately", NOW, past=True)
    assert str(refused.value).endswith(ALLOWED_OF_THE_PAST)


def test_machines_write_ages_and_rfc_3339_and_nothing_else() -> None:
    ages = [age_of(text) for text in ("90", "90s", "15m", "2h", "1d")]
    assert ages == [90_000, 90_000, 900_000, 7_200_000, 86_400_000]
    assert wire_moment("2027-01-15T22:30:00Z") == NOW
    assert [age_of("2 hours"), wire_moment("2027-01-15 22:30"), wire_moment("3h"), age_of("")] == [None] * 4
