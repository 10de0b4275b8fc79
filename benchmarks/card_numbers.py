"""How long looking for card numbers takes in 64 KiB made to be slow, and how many harmless numbers are refused (S12).

`python -m benchmarks.card_numbers [--times 50] [--samples 10000]`. Exit 1 when one body takes over 2 ms.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from functools import partial
from statistics import median
from time import perf_counter

from benchmarks.number_samples import (
    ARTICLES,
    COOKIES,
    IDS,
    ORDERS,
    PARCELS,
    TRACES,
    Numbers,
    refused_headers,
    refused_identifiers,
    refused_parcels,
    traces_not_carried_on,
)
from http_api import strict_json
from http_api.card_search import head_holds_card, json_holds_card, parameters_hold_card
from http_api.middleware import check_json
from http_api.problems import Problem

SIZE = 64 * 1024
LIMIT = 2.0
"""Milliseconds."""


def text_body(unit: str) -> bytes:
    """A JSON body with one long text: `unit` (as it stands in JSON) again and again."""
    frame = b'{"metadata":{"a":"%s"}}'
    room = SIZE - len(frame)
    return frame % (unit.encode() * (room // len(unit.encode())))


def list_body(field: str, unit: str) -> bytes:
    """A JSON body with one long list."""
    begin, end = f'{{"{field}":[', "]}"
    count = (SIZE - len(begin + end)) // (len(unit) + 1)
    return f"{begin}{','.join([unit] * count)}{end}".encode()


JSON: Mapping[str, bytes] = {
    "one digit": text_body("1"),
    "one digit that a card begins with": text_body("4"),
    "digits at random": text_body(Numbers(1).some(64_000)),
    "digits that begin like cards": text_body("5067"),
    "twelve digits, a letter": text_body("424242424242x"),
    "groups of ten": text_body("4242424242 "),
    "groups of all sizes": text_body("58 5858 585858585 58585858 5858585 58 "),
    "single digits": text_body("4,"),
    "card-like numbers with a wrong digit": text_body("4242424242424243 x "),
    "every separator": text_body("4-4.4,4/4:4|4_4 4;"),
    "full-width digits": text_body("４"),
    "full-width digits and blanks": text_body("４　"),
    "digits of five scripts": text_body("４٤४๔૪"),
    "zero-width marks between": text_body("4\u200b"),
    "JSON escapes": text_body("\\u0034"),
    "JSON escapes of blanks": text_body("4\\t4\\n"),
    "percent-encoding": text_body("%34%32"),
    "percent-encoding twice": text_body("%2534"),
    "groups of ten, one percent sign": text_body("4242424242 ").replace(b" ", b"%", 1),
    "ids in hexadecimal": text_body("4242424242424242abcdefab "),
    "UUIDs of digits": text_body("42424242-4242-4242-4242-424242424242 "),
    "ordinary words": text_body("Leave it at no. 12, ring twice; 2026-11-24 16:00. "),
    "list of digits": list_body("metadata", "4"),
    "list of long numbers": list_body("metadata", "1764000000123"),
    "list of fractions": list_body("metadata", "0.4242424242424242"),
    "list of short texts": list_body("metadata", '"4"'),
    "list of articles": list_body("items", '{"sku":"4006381333931","quantity":1}'),
    "list of ids": list_body("ids", '"4242424242424243"'),
    "list of empty objects": list_body("items", "{}"),
}
"""Each nearly 64 KiB."""


def form_of(unit: bytes) -> bytes:
    return unit * (SIZE // len(unit))


OTHERS: Mapping[str, Callable[[], bool]] = {
    "form: many fields": lambda: parameters_hold_card(form_of(b"a=4242&")),
    "form: percent-encoding": lambda: parameters_hold_card(b"reason=" + form_of(b"%34%32")),
    "query: 990 identifiers": lambda: head_holds_card([], "/", b"&".join([b"customer=4242424242424243" * 2] * 990)),
    "path: digits": lambda: head_holds_card([], "/things/" + "4" * SIZE, b""),
    "path: a long id": lambda: head_holds_card([], "/shop/customers/" + "4242424242-" * (SIZE // 11), b""),
    "headers: one long": lambda: head_holds_card([(b"x-any", form_of(b"4242424242 "))], "/", b""),
    "headers: six thousand": lambda: head_holds_card([(b"x-any", b"4242")] * (SIZE // 10), "/", b""),
    "headers: cookies": lambda: head_holds_card([(b"cookie", form_of(b"_fbp=fb.1.1764000000123.42; "))], "/", b""),
}


def milliseconds(work: Callable[[], object], times: int) -> list[float]:
    """How long each of so many repetitions took."""
    taken = []
    for _ in range(times):
        began = perf_counter()
        work()
        taken.append((perf_counter() - began) * 1000)
    return taken


def json_times(body: bytes, times: int) -> list[float]:
    """Of the search alone; the JSON is read anew for each, for the search takes it apart."""
    values = iter([strict_json.read(body) for _ in range(times)])
    return milliseconds(lambda: json_holds_card(next(values)), times)


def answer(body: bytes) -> str:
    """What the middleware says to a JSON body."""
    try:
        check_json(body)
    except Problem as problem:
        return problem.code
    return "passes"


def times_table(times: int) -> tuple[list[str], float]:
    """As Markdown, and the slowest: the best of each, for other work on the machine only makes it slower."""
    lines = ["| 64 KiB of | best, ms | median | with reading the JSON | answer |", "|---|---:|---:|---:|---|"]
    slowest = 0.0
    for name, body in JSON.items():
        taken, total = json_times(body, times), min(milliseconds(partial(answer, body), times))
        lines.append(f"| {name} | {min(taken):.2f} | {median(taken):.2f} | {total:.2f} | {answer(body)} |")
        slowest = max(slowest, min(taken))
    for name, work in OTHERS.items():
        taken = milliseconds(work, times)
        said = "card_number_refused" if work() else "passes"
        lines.append(f"| {name} | {min(taken):.2f} | {median(taken):.2f} | | {said} |")
        slowest = max(slowest, min(taken))
    return lines, slowest


def refusals_table(count: int) -> list[str]:
    """As Markdown: how many of so many harmless ones are refused in the field where they belong."""
    lines = [f"| {count} of | refused |", "|---|---:|"]
    for name, sample in {**ARTICLES, **ORDERS, **IDS}.items():
        lines.append(f"| {name} | {refused_identifiers(sample, count)} |")
    for name, (carrier, sample) in PARCELS.items():
        lines.append(f"| tracking: {name} | {refused_parcels(carrier, sample, count)} |")
    for name, sample in TRACES.items():
        lines.append(f"| header: {name} | {refused_headers(name, sample, count)} |")
    for name, sample in COOKIES.items():
        lines.append(f"| cookie: {name} | {refused_headers('cookie', sample, count)} |")
    return [*lines, f"| a trace that begins anew | {traces_not_carried_on(count)} |"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=50, help="repetitions of each body")
    parser.add_argument("--samples", type=int, default=10_000, help="numbers of each kind")
    given = parser.parse_args()
    lines, slowest = times_table(given.times)
    lines += ["", f"slowest: {slowest:.2f} ms of {LIMIT}", "", *refusals_table(given.samples)]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.exit(0 if slowest <= LIMIT else 1)


if __name__ == "__main__":
    main()
