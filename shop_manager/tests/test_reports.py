"""Reports: what a service tells of a turn that still waits, and what that changes (M9)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from domain.messages import report_on
from domain.times import minutes
from messaging.envelope import decode, encode
from messaging.strict_json import read_strictly
from shop_manager.processes.standard import STANDARD
from shop_manager.saga.happenings import Replied
from shop_manager.tests.saga_harness import SagaHarness, given

OPEN: dict[str, Any] = {"status": "open", "items": [], "total": 0}


def paying() -> SagaHarness:
    return given(STANDARD).started().goes_through("shopping", "credit")


def test_M9_a_report_sets_the_owners_section_and_changes_nothing_else() -> None:
    clerk = given(STANDARD).started()
    before = clerk.saga
    clerk.later(1_000).reports("shopping", 1, **OPEN).expect_nothing_sent()
    assert clerk.saga.document["order"] == OPEN
    assert (clerk.saga.version, clerk.history[-1].what) == (before.version + 1, "reported")
    changed = {"document", "reported", "version", "updated_at"}
    assert all(getattr(clerk.saga, name) == getattr(before, name) for name in before.__slots__ if name not in changed)


def test_M9_a_report_that_is_known_or_older_than_the_last_leaves_no_trace() -> None:
    clerk = paying().reports("payment", 2, status="authorizing")
    for number in (2, 1):
        clerk.reports("payment", number, status="none")
        assert (clerk.last.entries, clerk.last.ignored) == ([], None)
    clerk.reports("payment", 3, status="none")
    assert clerk.saga.document["payment"] == {"status": "none"}


def test_M9_a_report_that_the_reply_has_overtaken_is_ignored() -> None:
    clerk = paying().reports("payment", 1, status="authorizing").done("payment", status="authorized")
    clerk.reports("payment", 2, status="none").expect_ignored("repeated")
    assert clerk.saga.document["payment"] == {"status": "authorized"}
    do = clerk.last_command("payment")
    clerk.cancelled().undone("stock").reports("payment", 3, to=do, status="none").expect_ignored("late")


def test_M9_a_report_on_what_was_never_asked_or_is_asked_anew_is_ignored() -> None:
    clerk = given(STANDARD).started()
    never = replace(clerk.question(), step="stock", name="AllocateStock", service="fulfillment")
    clerk.reports("stock", 1, to=never, status="half").expect_ignored("never asked")
    clerk.reports("shopping", 1, to=replace(clerk.question(), attempt=2), **OPEN).expect_ignored("not asked")
    clerk.reports("shopping", 1, to=replace(clerk.question(), name="Odd"), **OPEN).expect_ignored("not asked")


def test_M9_a_report_prolongs_nothing() -> None:
    clerk = given(STANDARD).started(minutes_long=1)
    resend, clerk.now = clerk.saga.resend, clerk.now + minutes(1) - 1
    clerk.reports("shopping", 1, **OPEN)
    assert clerk.saga.resend == resend
    clerk.later(1).reports("shopping", 2, status="open", items=[], total=5).expect("undoing")
    assert clerk.saga.document["order"] == OPEN


def test_M9_a_refusal_takes_the_place_of_what_was_reported() -> None:
    clerk = given(STANDARD).started(brought={"payment": {"token": "tok"}}).goes_through("shopping", "credit")
    clerk.reports("payment", 1, status="authorizing")
    command = clerk.last_command("payment")
    document = {**command.document, "payment": {"status": "none"}}
    clerk.replies("payment", "refused", document=document)
    assert clerk.saga.document["payment"] == {"status": "none"}


def test_D1_of_a_report_only_the_owners_section_is_taken() -> None:
    clerk = given(STANDARD).started()
    command = clerk.question()
    document = {**command.document, "order": OPEN, "credit": {"status": "reserved"}}
    clerk.happens(Replied(report_on(command, 1, document, clerk.now)))
    assert "credit" not in clerk.saga.document
    assert [entry.what for entry in clerk.last.entries] == ["foreign_edit", "reported"]


def test_a_shop_manager_that_knows_no_reports_ignores_them_as_not_fitting() -> None:
    """In an upgrade one of the version before may get a report: it reads the message without the field."""
    clerk = given(STANDARD).started()
    wire = read_strictly(encode(report_on(clerk.question(), 1, clerk.question().document, clerk.now)).decode())
    del wire["report"]
    reply = decode(wire, "shop_manager")
    clerk.happens(Replied(reply)).expect_ignored("does not fit")  # type: ignore[arg-type]  # a reply was written
