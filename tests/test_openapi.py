"""The OpenAPI document is one that a generator can use: names, models, credentials, problems and examples."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from fastapi.routing import APIRoute, iter_route_contexts
from jsonschema import Draft202012Validator
from starlette.routing import Route

from clerk_cli.passed_on_routes import routers_to_describe
from http_api.failure_codes import FAILURES, PAYMENT_ERRORS
from http_api.openapi import METHODS, OPERATOR_ROLE
from http_api.problems import CODES
from http_api.query_names import query_names
from http_api.tests.checked_answers import closed
from shop_manager.gateway import PATHS
from tests.test_who_may_what import ROWS
from tests.who_may.shop_under_test import NAMES, ROLES, ShopUnderTest

OPERATION_IDS = """
read_liveness read_readiness read_metrics
open_session list_sessions read_session follow_session create_event_ticket
read_clerk_document cancel_session expire_session amend_session
read_customer put_customer read_shop put_shop
read_summary read_figures follow_changes read_checks list_clerks export_clerks_csv export_clerks_json
read_clerk read_timeline list_messages list_parked read_parked list_processes read_chosen_process list_audit
act_on_clerk claim_clerk act_on_parked preview_bulk list_bulks read_bulk start_bulk stop_bulk
list_people add_person act_on_person list_keys create_key act_on_key list_mentions list_views save_view remove_view
search_everything read_customer_and_orders forget_customer
list_activity compare_hours
list_alerts list_channels send_test_alert send_alert_again list_runbooks save_runbook list_parked_causes
read_current_key
list_products put_product read_cart put_cart_item place_order
read_credit set_credit_limit
take_provider_event read_payment pay
read_stock set_stock adjust_stock list_shipments read_shipment ship
put_fault list_faults lift_faults
"""
"""What generated clients call their functions: a new operation is added, and none is ever renamed."""
SCHEMES = {"customer_secret": ("own",), "server_key": ("server",), "warehouse_key": ("warehouse",),
           "operator_key": ROLES, "monitoring_key": ("monitoring",)}  # fmt: skip
"""Security scheme → the columns of the table of who may what."""
KEYS = {"server_key": "server", "warehouse_key": "warehouse"}
FOR_CLIENTS = {"sessions", "directory", "shop", "payment", "fulfillment", "risk"}
"""The tags whose answers have examples; those of operators are shown by the dashboard."""
SHOW_MORE_TO_KEYS = {("get", "/health/ready")}
"""For anybody, but who shows a key is told more."""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> ShopUnderTest:
    return ShopUnderTest(tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="module")
def document(shop: ShopUnderTest) -> Mapping[str, Any]:
    """Of the whole shop in one process."""
    return shop.up.openapi()


def operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        yield from ((method, path, operation) for method, operation in item.items() if method in METHODS)


def resolved(document: Mapping[str, Any], value: Any) -> Any:
    while "$ref" in value:
        found: Any = document
        for part in value["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        value = found
    return value


def test_operations_have_short_names_that_stay(document: Mapping[str, Any]) -> None:
    assert sorted(each["operationId"] for _, _, each in operations(document)) == sorted(OPERATION_IDS.split())


def test_every_answer_has_a_schema_of_its_own_and_every_operation_its_problems(document: Mapping[str, Any]) -> None:
    for _, _, operation in operations(document):
        assert operation["description"] and operation["tags"]
        for status, found in operation["responses"].items():
            response = resolved(document, found)
            for kind, media in response.get("content", {}).items():
                is_json = kind.endswith("json")
                assert "$ref" in media["schema"] if is_json else media["schema"] == {"type": "string"}, operation
            assert response.get("content") or status in ("204", "304")
            assert "Request-Id" in response["headers"]
        assert {"default", "500"} <= set(operation["responses"]) or operation["tags"] == ["health"]


def test_no_member_of_any_schema_may_be_anything(document: Mapping[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        assert "__" not in name, "two models have the same name"
        for member, found in schema.get("properties", {}).items():
            assert found.keys() & {"type", "$ref", "anyOf", "oneOf", "enum", "const"}, f"{name}.{member}"
            assert found.get("items", {"type": ""}) != {}, f"{name}.{member}"


def test_S1_every_operation_names_the_credentials_that_the_table_lets_in(document: Mapping[str, Any]) -> None:
    for method, path, operation in operations(document):
        rows = [row.cells for row in ROWS if (row.method.lower(), row.path) == (method, path)]
        if path == "/dev/faults" or (method, path) in SHOW_MORE_TO_KEYS:
            continue
        needing = [cells for cells in rows if cells["nobody"] != "in"]
        expected: list[dict[str, Any]] = [{}] if needing and len(needing) < len(rows) else []
        for scheme, columns in SCHEMES.items():
            if any(cells[column] == "in" for cells in needing for column in columns):
                expected.append({scheme: []})
        assert sorted(map(str, operation["security"])) == sorted(map(str, expected)), (method, path)
        roles = [role for role in ROLES if any(cells[role] == "in" for cells in needing)]
        assert operation.get(OPERATOR_ROLE) == (roles[0] if {"operator_key": []} in expected else None), (method, path)


def test_every_code_of_a_problem_is_in_its_schema_and_has_an_example(document: Mapping[str, Any]) -> None:
    components = document["components"]
    assert components["schemas"]["Problem"]["properties"]["code"]["enum"] == list(CODES)
    validator = Draft202012Validator({"$ref": "#/components/schemas/Problem", "components": components})
    for code, example in components["examples"].items():
        if code in CODES:
            validator.validate(example["value"])
            assert example["value"]["code"] == code


def test_examples_are_as_their_schemas_say(document: Mapping[str, Any]) -> None:
    def look(schema: Any) -> None:
        if isinstance(schema, list):
            for each in schema:
                look(each)
        elif isinstance(schema, dict):
            for example in schema.get("examples", []) if isinstance(schema.get("examples"), list) else []:
                Draft202012Validator({**schema, "components": document["components"]}).validate(example)
            for each in schema.values():
                look(each)

    look(document["components"]["schemas"])
    for header in [*document["components"]["headers"].values(), *document["components"]["parameters"].values()]:
        Draft202012Validator(header["schema"]).validate(header["example"])


def test_every_body_and_every_main_answer_has_an_example_that_is_as_its_schema_says(
    document: Mapping[str, Any],
) -> None:
    """The schemas are closed for it: no example names a member that is not documented."""
    components = closed(document["components"])
    without: set[str] = set()
    for _, _, operation in operations(document):
        good = [resolved(document, each) for status, each in operation["responses"].items() if status.startswith("2")]
        bodies = [operation["requestBody"]] if "requestBody" in operation else []
        for media in [each for part in (*bodies, *good) for each in part.get("content", {}).values()]:
            shown = [resolved(document, each)["value"] for each in media.get("examples", {}).values()]
            for value in shown:
                Draft202012Validator({**media["schema"], "components": components}).validate(value)
        without |= {operation["operationId"] for part in bodies if not _has_examples(part)}
        if operation["tags"][0] in FOR_CLIENTS:
            without |= {operation["operationId"] for part in good if not _has_examples(part)}
    assert without == set()


def test_the_examples_of_bodies_are_taken_by_the_running_shop(shop: ShopUnderTest, document: Mapping[str, Any]) -> None:
    """None of them is a body that cannot be read, or one with a wrong field."""
    for method, path, operation in operations(document):
        if path in ("/dev/faults", "/payment/provider-events"):
            continue  # the one is for this machine only, the other wants a signature
        allowed = [name for each in operation["security"] for name in each]
        key = next((KEYS[name] for name in KEYS if name in allowed), "admin")
        for kind, media in operation.get("requestBody", {}).get("content", {}).items():
            for each in media["examples"].values():
                named = re.sub(r"\{\w+\}", "SQUEAKY-BONE", path)
                answer = shop.call(
                    method.upper(), named, resolved(document, each)["value"], key, {"Content-Type": kind}
                )
                assert answer.status_code not in (400, 403, 415, 422), (path, answer.text)


def test_why_an_order_failed_is_one_of_a_closed_list(document: Mapping[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for name, codes in {"Failure": FAILURES, "ClerkFailure": FAILURES, "PaymentError": PAYMENT_ERRORS}.items():
        code = schemas[name]["properties"]["code"]
        assert code["enum"] == list(codes) and "do not know" in code["description"]
    assert set(PAYMENT_ERRORS) <= set(FAILURES)


def test_an_address_has_its_usual_members_and_takes_any_others(document: Mapping[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    address = schemas["ShippingAddress"]
    assert set(address["properties"]) == {"line1", "line2", "postal_code", "city", "region", "country", "phone"}
    for each in address["properties"].values():
        assert [choice["type"] for choice in each["anyOf"]] == ["string", "null"]
    assert address["additionalProperties"] is True and not address["required"]
    for name in ("Session", "OpenSession", "AmendSession", "Shipment"):
        assert "#/components/schemas/ShippingAddress" in json.dumps(schemas[name]["properties"]["shipping_address"])


def test_a_merge_patch_is_taken_as_what_it_is(document: Mapping[str, Any]) -> None:
    content = document["paths"]["/shop/session/{session}"]["patch"]["requestBody"]["content"]
    assert set(content) == {"application/json", "application/merge-patch+json"}
    assert content["application/json"] == content["application/merge-patch+json"]


def test_every_service_has_a_document_of_its_own_with_what_is_in_the_whole_shops(shop: ShopUnderTest) -> None:
    whole = shop.up.openapi()
    for name in NAMES:
        own = shop.apps[name].openapi()
        assert {path: whole["paths"][path] for path in own["paths"]}.keys() == own["paths"].keys()
        for _, path, operation in operations(own):
            for found in _references(operation):
                assert resolved(own, {"$ref": found}), (path, found)


def test_the_gateways_document_has_the_routes_that_it_passes_on(shop: ShopUnderTest) -> None:
    described = shop.gateway.openapi()["paths"].keys()
    behind = {path for name in PATHS for path in shop.apps[name].openapi()["paths"]}
    assert described == behind | shop.apps["shop_manager"].openapi()["paths"].keys()
    assert len(routers_to_describe(PATHS)) > len(PATHS)


def _has_examples(part: Mapping[str, Any]) -> bool:
    """A stream or a table has none: it is no JSON."""
    return all(media.get("examples") for kind, media in part.get("content", {}).items() if kind.endswith("json"))


def _references(value: Any) -> set[str]:
    return {each.partition('"')[0] for each in json.dumps(value).split('"$ref": "')[1:]}


@pytest.mark.parametrize("name", NAMES)
def test_each_route_takes_the_query_parameters_that_are_documented_and_no_others(
    shop: ShopUnderTest, name: str
) -> None:
    app = shop.apps[name]
    documented = {
        (method, path): sorted(each["name"] for each in operation.get("parameters", ()) if each.get("in") == "query")
        for method, path, operation in operations(app.openapi())
    }
    taken = {
        (method.lower(), context.path_format): sorted(query_names(context.route.dependant))
        for context in iter_route_contexts(app.routes)
        if isinstance(context.route, APIRoute)
        for method in context.methods or ()
    }
    assert {each: taken[each] for each in documented if each in taken} == {
        each: names for each, names in documented.items() if each in taken
    }
    assert set(documented) & set(taken)


def test_every_route_is_the_applications_own_and_so_was_read_once(shop: ShopUnderTest) -> None:
    """An included router would have FastAPI read its routes a second time, with the first request."""
    for app in (shop.up, *shop.apps.values()):
        assert len(list(iter_route_contexts(app.routes))) == len(app.routes)
        assert all(isinstance(route, Route) for route in app.routes)
