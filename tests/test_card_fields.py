"""S12 over the whole shop: which routes have identifiers, how seldom those are refused, and how much work it is."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import Any

import pytest

from benchmarks.card_numbers import JSON, OTHERS
from benchmarks.number_samples import (
    ARTICLES,
    COOKIES,
    IDS,
    ORDERS,
    PARCELS,
    TRACES,
    Sample,
    refused_headers,
    refused_identifiers,
    refused_parcels,
    traces_not_carried_on,
)
from http_api import strict_json
from http_api.card_fields import PATHS
from http_api.card_search import json_holds_card
from tests.who_may.table import API, DASHBOARD, rows_of

TYPED = {
    "/ops/people/{name}/actions",
    "/ops/views/{name}",
    "/dashboard/people/{name}/actions",
    "/dashboard/static/{name}",
    "/dashboard/{rest:path}",
    "/docs/assets/{name}",
}
"""Routes with a part that people have named: there the strict rule holds."""
SAMPLES = 1_000
MOST_CALLS = 24_000
"""For 64 KiB: a list of 22,000 objects is looked at one by one, but no text character by character."""


def shape(path: str) -> str:
    return re.sub(r"\{[^}]+\}", "{}", path)


def test_every_route_with_an_id_in_it_is_known_to_hold_identifiers_or_names() -> None:
    routed = {line.path for line in [*rows_of(API), *rows_of(DASHBOARD)] if "{" in line.path}
    known = {shape(path) for path in PATHS}
    covered = {
        path for path in routed if any(re.fullmatch(re.sub(r"\{\}", "[^/]+", each), shape(path)) for each in known)
    }
    assert routed - covered == TYPED
    assert not covered & TYPED


@pytest.mark.parametrize("sample", [*ARTICLES.values(), *IDS.values(), ORDERS["16 digits, by date"]])
def test_S12_no_articles_number_and_no_id_is_refused(sample: Sample) -> None:
    assert refused_identifiers(sample, SAMPLES) == 0


def test_S12_of_random_order_numbers_of_16_digits_less_than_one_in_20_is_what_a_card_number_is() -> None:
    assert refused_identifiers(ORDERS["16 digits, any"], SAMPLES) < SAMPLES / 20


@pytest.mark.parametrize("name", PARCELS)
def test_S12_no_parcels_number_is_refused(name: str) -> None:
    assert refused_parcels(*PARCELS[name], SAMPLES) == 0


@pytest.mark.parametrize("name", TRACES)
def test_S12_no_trace_is_refused(name: str) -> None:
    assert refused_headers(name, TRACES[name], SAMPLES) == 0


@pytest.mark.parametrize("name", COOKIES)
def test_S12_no_cookie_is_refused(name: str) -> None:
    assert refused_headers("cookie", COOKIES[name], SAMPLES) == 0


def test_S12_nearly_every_trace_is_carried_on() -> None:
    assert traces_not_carried_on(SAMPLES) <= SAMPLES / 500


def calls_of(work: Callable[[], object]) -> int:
    """How many functions are called, those of Python itself included: the same on every machine.

    It is done once before: tables that are made at their first use do not count.
    """
    work()
    counted = 0

    def count(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal counted
        counted += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(before)
    return counted


@pytest.mark.parametrize("name", JSON)
def test_S12_64_kib_are_looked_through_without_a_loop_over_the_characters(name: str) -> None:
    value = strict_json.read(JSON[name])
    assert calls_of(lambda: json_holds_card(value)) < MOST_CALLS


@pytest.mark.parametrize("name", OTHERS)
def test_S12_no_64_kib_of_a_request_are_looped_over(name: str) -> None:
    assert calls_of(OTHERS[name]) < MOST_CALLS
