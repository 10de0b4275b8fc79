"""Amounts of money: the currencies of ISO 4217, and an amount in minor units as a decimal. Pure.

An amount is an `int` of the currency's minor unit everywhere in the product; only what people read has a decimal point.
"""

from __future__ import annotations

_CODES: dict[int, str] = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE "
    "CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG "
    "HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK "
    "MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE "
    "SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR "
    "ZMW ZWG",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
"""ISO 4217 by the number of decimal places: what is valid now, and what was withdrawn in 2025 or later. The codes
without a minor unit (metals, units of account, `XTS`, `XXX`) are no money that an order is paid with.
"""
_NO_MINOR_UNIT = "XAG XAU XBA XBB XBC XBD XDR XPD XPT XSU XTS XUA XXX"
_CURRENCIES = {code: places for places, codes in _CODES.items() for code in codes.split()}
_EXPONENTS = {**_CURRENCIES, **dict.fromkeys(_NO_MINOR_UNIT.split(), 0)}
LARGEST = 2**53 - 1
"""The largest amount, in minor units: beyond it a client that reads JSON numbers as floats gets another one."""


def is_currency(code: str) -> bool:
    """Is it a code of ISO 4217 that amounts can be in?"""
    return code in _CURRENCIES


def exponent(currency: str) -> int:
    """How many decimal places amounts of this currency have; two for a code that ISO 4217 does not list."""
    return _EXPONENTS.get(currency, 2)


def decimal(minor_units: int, currency: str, *, grouped: bool = False) -> str:
    """(12500, "KWD") → `12.500`, (-5, "EUR") → `-0.05`, (2590, "XOF") → `2590`; `grouped`: `1,234,567.00`."""
    places = exponent(currency)
    whole, rest = divmod(abs(minor_units), 10**places)
    digits = f"{whole:,}" if grouped else f"{whole}"
    return f"{'-' if minor_units < 0 else ''}{digits}{f'.{rest:0{places}d}' if places else ''}"


def amount(minor_units: int, currency: str) -> str:
    """How an amount is told to people: (2590, "EUR") → `25.90 EUR`."""
    return f"{decimal(minor_units, currency, grouped=True)} {currency}"
