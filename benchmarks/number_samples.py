"""Numbers and ids that are no card's, made at random as they really look, and what they come in (security S12)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from uuid import UUID

from http_api.card_numbers import is_card_number
from http_api.card_search import head_holds_card
from http_api.number_schemes import has_gs1_check_digit, is_parcel_number
from http_api.request import accepted_traceparent

DIGITS, HEX = "0123456789", "0123456789abcdef"
LETTERS_AND_DIGITS = "0123456789ABCDEFGHJKLMNPRSTUVWXYZ"


class Numbers:
    """`digits(n)` and the like, repeatable by the seed."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)  # noqa: S311  repeatable samples, no secrets

    def some(self, count: int, alphabet: str = DIGITS) -> str:
        return "".join(self.random.choices(alphabet, k=count))

    def gs1(self, beginning: str, length: int) -> str:
        """Digits with GS1's check digit at the end."""
        body = beginning + self.some(length - len(beginning) - 1)
        return next(body + digit for digit in DIGITS if has_gs1_check_digit(body + digit))

    def in_groups(self, digits: str, size: int = 4) -> str:
        return " ".join(digits[place : place + size] for place in range(0, len(digits), size))


Sample = Callable[[Numbers], str]
ARTICLES: Mapping[str, Sample] = {
    "EAN-13, Germany": lambda n: n.gs1(str(n.random.randint(400, 440)), 13),
    "EAN-13, Japan": lambda n: n.gs1(n.random.choice(("45", "49")), 13),
    "EAN-13, anywhere": lambda n: n.gs1("", 13),
    "GTIN-14": lambda n: n.gs1(n.random.choice("123456789"), 14),
}
PARCELS: Mapping[str, tuple[str, Sample]] = {
    "DHL Paket, 12 digits": ("DHL", lambda n: n.some(12)),
    "DHL Paket, 20 digits": ("DHL", lambda n: "00" + n.gs1("34", 18)),
    "DHL Paket, 20 digits in groups": ("DHL", lambda n: n.in_groups("00" + n.gs1("34", 18))),
    "DHL Paket, JJD": ("DHL", lambda n: "JJD0" + n.some(17)),
    "DHL Express": ("DHL Express", lambda n: n.some(10)),
    "UPS": ("UPS", lambda n: "1Z" + n.some(6, LETTERS_AND_DIGITS) + n.some(10)),
    "UPS, digits only": ("UPS", lambda n: "1Z" + n.some(16)),
    "SSCC-18": ("Dog Sled", lambda n: n.gs1("", 18)),
    "SSCC-18 in groups": ("Dog Sled", lambda n: n.in_groups(n.gs1("", 18))),
    "S10": ("La Poste", lambda n: f"R{n.some(1, 'ABCDEFG')}{n.some(9)}DE"),
    "FedEx, 12 digits": ("FedEx", lambda n: n.some(12)),
    "FedEx, 15 digits": ("FedEx Ground", lambda n: n.gs1("", 15)),
    "FedEx, 15 digits in groups": ("FedEx Ground", lambda n: n.in_groups(n.gs1("", 15))),
    "USPS, 22 digits": ("USPS", lambda n: n.gs1(f"9{n.random.randint(2, 5)}", 22)),
    "USPS, 22 digits in groups": ("USPS", lambda n: n.in_groups(n.gs1(f"9{n.random.randint(2, 5)}", 22))),
    "DPD": ("DPD", lambda n: n.some(14)),
    "Hermes": ("Hermes", lambda n: n.some(14)),
    "GLS": ("GLS", lambda n: n.some(11)),
    "Canada Post": ("Canada Post", lambda n: n.gs1("", 16)),
    "InPost": ("InPost", lambda n: "6" + n.some(23)),
}
"""By name: the carrier, and its numbers."""
ORDERS: Mapping[str, Sample] = {
    "16 digits, any": lambda n: n.some(16),
    "16 digits, by date": lambda n: f"2026{n.random.randint(1, 12):02}{n.random.randint(1, 28):02}{n.some(8)}",
}
IDS: Mapping[str, Sample] = {
    "UUID": lambda n: str(UUID(int=n.random.getrandbits(128), version=4)),
    "Clerk": lambda n: "clk_" + n.some(32, HEX),
    "SHA-256": lambda n: n.some(64, HEX),
}
TRACES: Mapping[str, Sample] = {
    "traceparent": lambda n: f"00-{n.some(32, HEX)}-{n.some(16, HEX)}-01",
    "tracestate": lambda n: f"congo={n.some(16)},rojo={n.some(16, HEX)}",
    "b3": lambda n: f"{n.some(32, HEX)}-{n.some(16, HEX)}-1",
    "x-b3-traceid": lambda n: n.some(16),
    "x-request-id": lambda n: n.some(16),
    "x-cloud-trace-context": lambda n: f"{n.some(32, HEX)}/{n.some(19)};o=1",
    "x-amzn-trace-id": lambda n: f"Root=1-{n.some(8, HEX)}-{n.some(24, HEX)}",
}
"""By the header's name."""
COOKIES: Mapping[str, Sample] = {
    "_fbp": lambda n: f"_fbp=fb.1.17{n.some(11)}.{n.some(19)}",
    "_ga": lambda n: f"_ga=GA1.1.{n.some(10)}.17{n.some(8)}",
    "session": lambda n: f"sid={n.some(16)}",
}


def refused_identifiers(sample: Sample, count: int, seed: int = 1) -> int:
    """How many of so many are refused in a field for identifiers."""
    numbers = Numbers(seed)
    return sum(is_card_number(sample(numbers)) for _ in range(count))


def refused_parcels(carrier: str, sample: Sample, count: int, seed: int = 1) -> int:
    """How many of so many are refused as `tracking` beside their `carrier`."""
    numbers = Numbers(seed)
    tracked = (sample(numbers) for _ in range(count))
    return sum(not is_parcel_number(carrier, number) and is_card_number(number) for number in tracked)


def refused_headers(name: str, sample: Sample, count: int, seed: int = 1) -> int:
    """How many of so many are refused as this header's value."""
    numbers = Numbers(seed)
    values = (sample(numbers).encode() for _ in range(count))
    return sum(head_holds_card([(name.encode(), value)], "/", b"") for value in values)


def traces_not_carried_on(count: int, seed: int = 1) -> int:
    """Of how many of so many `traceparent` headers a new trace begins."""
    numbers = Numbers(seed)
    return sum(accepted_traceparent(TRACES["traceparent"](numbers)) is None for _ in range(count))
