"""Commands, doubles, payers, pauses and crashes in any order, through the worker, the gateway and the provider."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from payment_service.payment import UNDONE
from payment_service.tests.harness import CLERK, PaymentHarness, command

TOKENS = ["tok_ok", "tok_declined", "tok_capture_refused", "tok_slow", "tok_lost", "tok_down"]
ACTS = st.lists(
    st.one_of(
        st.sampled_from(["do", "undo", "capture", "crash", "silent crash"]),
        st.tuples(st.just("pay"), st.sampled_from(TOKENS)),
        st.tuples(st.just("wait"), st.sampled_from([250, 500, 3000, 11_000])),
    ),
    max_size=10,
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PaymentHarness]:
    harness = PaymentHarness(Path(tmp_path_factory.mktemp("payment")))
    yield harness
    harness.close()


def play(harness: PaymentHarness, act: object, token: str | None) -> None:
    match act:
        case "do":
            harness.send(command("AuthorizePayment", token=token))
        case "undo":
            harness.send(command("VoidPayment"))
        case "capture":
            harness.send(command("CapturePayment"))
        case "crash":
            harness.restart()
            harness.gateway.hand_over_due(everything=True)
            harness.settle()
        case "silent crash":  # committed, but never handed over
            harness.record(command("AuthorizePayment", token=token))
            harness.restart()
        case ("pay", str(means)) if harness.has_payment():
            harness.pays(means)
            harness.settle()
        case ("wait", int(pause)):
            harness.passes(pause)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(acts=ACTS, token=st.sampled_from([None, *TOKENS]))
def test_after_the_undo_nothing_is_kept_and_no_key_has_moved_money_twice(
    shared: PaymentHarness, acts: list[object], token: str | None
) -> None:
    shared.clear()
    for act in acts:
        play(shared, act, token)
    shared.send(command("VoidPayment", attempt=98))
    shared.passes(50_000)
    [undone] = shared.send(command("VoidPayment", attempt=99))

    sums = shared.sums()
    assert undone.outcome == "undone"
    assert sums.authorized == sums.captured + sums.voided
    assert sums.captured == sums.refunded
    if shared.has_payment():
        row = shared.payment()
        assert (row.authorized, row.captured, row.voided, row.refunded) == (
            sums.authorized,
            sums.captured,
            sums.voided,
            sums.refunded,
        )
        assert row.status in UNDONE | {"declined"}
    assert all(call.key.startswith(CLERK) for call in shared.provider.calls)
