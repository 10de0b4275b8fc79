"""Amounts are shown with the minor unit of their currency: all of ISO 4217, written out (list one of the standard)."""

from __future__ import annotations

import pytest

from domain.money import amount, decimal, exponent, is_currency

NO_MINOR_UNIT = """
    BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF
    XAG XAU XBA XBB XBC XBD XDR XPD XPT XSU XTS XUA XXX
"""
HUNDREDTHS = """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY COP
    COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR
    JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN
    NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL
    THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG
    ANG BGN CUC HRK SLL ZWL
"""
"""The last line: withdrawn since 2021, and still in data that is kept."""
THOUSANDTHS = "BHD IQD JOD KWD LYD OMR TND"
TEN_THOUSANDTHS = "CLF UYW"
ISO_4217 = [
    (currency, places)
    for places, currencies in ((0, NO_MINOR_UNIT), (2, HUNDREDTHS), (3, THOUSANDTHS), (4, TEN_THOUSANDTHS))
    for currency in currencies.split()
]


def test_the_list_names_each_currency_once() -> None:
    assert len({currency for currency, _ in ISO_4217}) == len(ISO_4217) == 184


@pytest.mark.parametrize(("currency", "places"), ISO_4217)
def test_every_currency_of_iso_4217_has_its_decimal_places(currency: str, places: int) -> None:
    assert exponent(currency) == places
    one = {0: "1234567", 2: "12345.67", 3: "1234.567", 4: "123.4567"}[places]
    assert decimal(1_234_567, currency) == one


METALS_AND_OTHERS = ["XAG", "XAU", "XBA", "XBB", "XBC", "XBD", "XDR", "XPD", "XPT", "XSU", "XTS", "XUA", "XXX"]
LONG_GONE = ["CUC", "HRK", "SLL", "ZWL"]


@pytest.mark.parametrize("currency", [currency for currency, _ in ISO_4217])
def test_what_is_sold_is_in_a_currency_that_is_valid_or_was_in_2025(currency: str) -> None:
    assert is_currency(currency) == (currency not in (*METALS_AND_OTHERS, *LONG_GONE))


@pytest.mark.parametrize("code", ["BTC", "ZZZ", "eur", "", "EURO", "E R"])
def test_what_iso_4217_does_not_list_is_no_currency(code: str) -> None:
    assert not is_currency(code)


def test_an_amount_is_told_with_its_currency() -> None:
    assert amount(1_293_705, "EUR") == "12,937.05 EUR"
    assert amount(1_293_705, "JPY") == "1,293,705 JPY"
    assert amount(1_293_705, "CLF") == "129.3705 CLF"


@pytest.mark.parametrize(
    ("minor_units", "currency", "shown", "grouped"),
    [
        (12_500, "KWD", "12.500", "12.500"),
        (2_590, "XOF", "2590", "2,590"),
        (2_590, "EUR", "25.90", "25.90"),
        (5, "EUR", "0.05", "0.05"),
        (-5, "EUR", "-0.05", "-0.05"),
        (-123_456_789, "USD", "-1234567.89", "-1,234,567.89"),
        (0, "CLF", "0.0000", "0.0000"),
        (0, "JPY", "0", "0"),
        (2_590, "", "25.90", "25.90"),
    ],
)
def test_an_amount_is_a_decimal_with_all_its_places(minor_units: int, currency: str, shown: str, grouped: str) -> None:
    assert decimal(minor_units, currency) == shown
    assert decimal(minor_units, currency, grouped=True) == grouped
