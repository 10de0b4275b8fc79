"""A client that loses the answer and sends the same again, at every route that writes: the effect is there once."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest

from scenario_tests.api_client import ApiClient
from scenario_tests.harness import SERVICES, Harness
from scenario_tests.reported_faults.place import JSON, Place
from scenario_tests.reported_faults.wire import Wire
from scenario_tests.reported_faults.writes import WRITES, Request, Write, as_bytes
from scenario_tests.waiting import until

WRITING = ("post", "put", "patch", "delete")
_numbers = count(1)
every_write = pytest.mark.parametrize("write", WRITES, ids=lambda write: write.route)


@pytest.fixture(scope="module")
def api(harness: Harness) -> Iterator[ApiClient]:
    client = ApiClient(harness)
    yield client
    client.close()


@pytest.fixture
def place(harness: Harness, api: ApiClient) -> Place:
    return Place(harness, api, f"l{next(_numbers)}")


def test_every_documented_route_that_writes_is_in_the_table(place: Place) -> None:
    documented = set()
    for service in SERVICES:
        paths = place.api.ask("GET", service, "/openapi.json", "").json()["paths"]
        documented |= {f"{method.upper()} {path}" for path in paths for method in paths[path] if method in WRITING}
    assert documented == {write.route for write in WRITES}, "say in writes.py what a second time answers"


@every_write
def test_the_same_again_after_a_lost_answer(place: Place, write: Write) -> None:
    request = write.prepare(place)
    with place.wire(request.path) as wire:
        sends(place, write, request, wire).loses_the_answer()
    with place.wire(request.path) as wire:
        assert sends(place, write, request, wire).hears().short in write.again
    until(lambda: request.count() >= write.effects, "it is done")
    assert request.count() == write.effects


@every_write
def test_the_same_again_by_somebody_who_did_not_wait_at_all(place: Place, write: Write) -> None:
    """The first may be done, not done, or under way: then a second says so, or is done instead of it."""
    request = write.prepare(place)
    with place.wire(request.path) as wire:
        sends(place, write, request, wire).breaks()
    seen = "409 idempotency_in_flight"
    while seen == "409 idempotency_in_flight":
        with place.wire(request.path) as wire:
            seen = sends(place, write, request, wire).hears().short
    assert seen in (write.first, *write.again)
    until(lambda: request.count() >= min(write.effects, 1), "one of the two is done")
    assert request.count() <= write.effects


def sends(place: Place, write: Write, request: Request, wire: Wire) -> Wire:
    method = write.route.partition(" ")[0]
    key = place.keys.server if request.key is None else request.key
    authorization = (f"Authorization: Bearer {key}",) if key else ()
    return wire.asks(method, request.path, *authorization, JSON, *request.headers, body=as_bytes(request.body))
