"""I16: `clerk verify --secrets` finds a card number wherever it was planted, and takes no identifier for one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Table, insert

from clerk_cli.databases import files_in, open_one
from clerk_cli.services import SERVICES
from fulfillment_service.store import shipments
from messaging.database import Database
from messaging.migrations import migrate
from risk_service.store import accounts
from shop_manager.engine.tables import customers, idempotency
from shop_service.store import products
from verifier.secrecy import check_secrecy
from verifier.stored_texts import holds_card_number

VISA, EAN = "4242424242424242", "4006381333924"
"""The article's number satisfies Luhn's check and begins like a card."""
Databases = dict[str, Database]


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    databases = {each.name: open_one(each, files_in(tmp_path_factory.mktemp("shop"))) for each in SERVICES}
    for service in SERVICES:
        migrate(databases[service.name], service.package)
    yield databases
    for database in databases.values():
        database.close()


BONE = {"sku": EAN, "name": "Bone", "unit_amount": 1, "currency": "EUR", "kind": "physical", "withdrawn": False}
PARCEL = {"session": "clk_1", "secret_sha256": "0" * 64, "status": "shipped", "carrier": "DPD"}
ROWS: list[tuple[str, Table, dict[str, Any]]] = [
    ("shop", products, BONE),
    ("risk", accounts, {"customer": "+4915123456781", "credit_limit": 1, "outstanding": 0, "score": 1}),
    ("fulfillment", shipments, {**PARCEL, "tracking": "36227206271667"}),
    ("shop_manager", customers, {"id": EAN, "name": "Ada", "type": "regular"}),
    ("shop_manager", idempotency, {"scope": "a", "key": EAN, "body": "b", "clerk": "clk_1", "answer": "{}", "at": 1}),
]


def test_I16_identifiers_are_no_card_numbers_and_planted_ones_are_found_and_not_repeated(migrated: Databases) -> None:
    for service, table, row in ROWS:
        with migrated[service].begin() as tx:
            tx.execute(insert(table).values(row))
    assert list(check_secrecy(migrated, [])) == []

    with migrated["shop_manager"].begin() as tx:
        tx.execute(insert(customers).values(id=VISA, name=f"Ada {VISA}123", type="regular"))
    found = [violation.found for violation in check_secrecy(migrated, [])]
    assert found == [
        "shop_manager: customers.id of row (not shown)",
        "shop_manager: customers.name of row (not shown)",
    ]


DOCUMENT = {
    "clerk": {"id": "clk_0193a4242424242424242b1234567890", "client_reference": EAN, "opened_at": 1764000000123},
    "customer": {"id": EAN, "name": "Ada"},
    "order": {"items": [{"sku": EAN, "name": "Bone", "quantity": 1}]},
    "shipment": {"carrier": "DPD", "tracking": "36227206271667"},
    "metadata": {"at": 1764000000123456789, "share": 0.4242424242424242, "when": "2026-11-24T16:00:00.123Z"},
    "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
}


@pytest.mark.parametrize("column", ["document", "state", "answer"])
def test_I16_a_clerks_document_is_no_card_number(column: str) -> None:
    assert not holds_card_number(column, json.dumps(DOCUMENT), {})
    assert not holds_card_number(column, json.dumps([{"document": DOCUMENT}]), {})


@pytest.mark.parametrize(
    "planted",
    [
        {"metadata": {"sku": EAN}},
        {"metadata": {"a": [f"{VISA}123"]}},
        {"metadata": {VISA: 1}},
        {"metadata": {"a": int(VISA)}},
        {"shipping_address": {"lines": ["4242,4242,4242,4242"]}},
        {"payment": {"token": "tok_4242424242424242"}},
        {"order": {"items": [{"sku": VISA}]}},
        {"shipment": {"carrier": "DHL", "tracking": VISA}},
        {"customer": {"id": "ada", "name": "４２４２４２４２４２４２４２４２"}},
        {"history": [{"reason": "%34242424242424242"}]},
    ],
    ids=str,
)
def test_I16_a_card_number_in_a_clerks_document_is_found(planted: dict[str, Any]) -> None:
    assert holds_card_number("document", json.dumps({**DOCUMENT, **planted}), {})
    assert holds_card_number("document", json.dumps({**DOCUMENT, **planted}, ensure_ascii=False), {})


@pytest.mark.parametrize(
    ("column", "text", "right"),
    [
        ("reason", f"paid with {VISA}", True),
        ("reason", EAN, True),
        ("note", "{4242 4242 4242 4242", True),
        ("token", "4242424242424242123", True),
        ("sku", EAN, False),
        ("sku", VISA, True),
        ("tracking", "36227206271667", True),
        ("hash", "4242424242424242" * 4, False),
        ("routing_key", "shop.commands", False),
    ],
)
def test_I16_each_column_has_its_rule(column: str, text: str, right: bool) -> None:
    assert holds_card_number(column, text, {}) is right


def test_I16_a_parcels_number_is_known_by_its_carrier() -> None:
    assert not holds_card_number("tracking", "36227206271667", {"carrier": "DPD"})
    assert holds_card_number("tracking", VISA, {"carrier": "DPD"})


def test_planted_secrets_are_found_too(migrated: Databases) -> None:
    found = [violation.expected for violation in check_secrecy(migrated, ["squeaky"])]
    assert "no secret anywhere" not in found
    with migrated["shop_manager"].begin() as tx:
        tx.execute(insert(customers).values(id="ben", name="so squeaky", type="regular"))
    assert "no secret anywhere" in [violation.expected for violation in check_secrecy(migrated, ["squeaky"])]
