"""The schemas in docs/messages are those of the code, and they say the same as the reader of messages does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from domain.document import SECTION_OF
from domain.messages import Message, ParkedNotice, answer, report_on
from domain.refusals import Refused
from domain.times import from_wire
from messaging.envelope import decode, encode
from messaging.fields import DecodeError
from messaging.tests.test_envelope import BAD_FIELDS, COMMAND
from shop_manager.processes import discover
from shop_manager.schemas import FOLDER, asked_of_services, files, text_of
from tests.whole_shop import WholeShop

FILES = files(discover())
REGISTRY: Any = Registry().with_resources(
    [(f"file:///{path}", DRAFT202012.create_resource(schema)) for path, schema in FILES.items()]
)
FORMATS = FormatChecker(formats=())
FORMATS.checks("date-time", raises=(ValueError, OverflowError))(
    lambda value: not isinstance(value, str) or bool(from_wire(value) + 1)
)
REFUSED = Refused("credit_exceeded", "too much")
MESSAGES: dict[str, Message] = {
    "command": COMMAND,
    "reply": answer(COMMAND, "done", COMMAND.document, 5_000),
    "report": report_on(COMMAND, 3, COMMAND.document, 5_000),
    "refused reply": answer(COMMAND, "refused", {}, 5_000, REFUSED),
    "notice": ParkedNotice("risk", "prk_1", "no JSON", "risk.commands.v1", None, b"\xff{", 2, 5_000),
}
LENIENT = {
    ("reply", "id"): "nobody reads it: in_reply_to says the same",
    ("notice", "id"): "nobody reads it: parked says the same",
    ("command", "traceparent"): "one that cannot be read is dropped, as W3C asks",
    ("reply", "traceparent"): "as above",
    ("notice", "body"): "a notice without the bytes is still a notice",
}
"""What the reader takes although the schema forbids it."""


def validator(path: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"file:///{path}"}, registry=REGISTRY, format_checker=FORMATS)


VALIDATORS = {kind: validator(f"{kind}.schema.json") for kind in ("command", "reply", "notice")}


def wire(name: str) -> dict[str, Any]:
    content: dict[str, Any] = orjson.loads(encode(MESSAGES[name]))
    return content


def is_read(content: dict[str, Any]) -> bool:
    try:
        decode(content, "risk" if content.get("kind") == "command" else "shop_manager")
    except DecodeError:
        return False
    return True


# --- the files -------------------------------------------------------------------------------------------------------


def test_the_files_in_docs_are_what_the_code_says() -> None:
    found = {str(path.relative_to(FOLDER)): path.read_text() for path in FOLDER.rglob("*.json")}
    assert found == {path: text_of(schema) for path, schema in FILES.items()}, "run python -m shop_manager.schemas"


@pytest.mark.parametrize("path", [path for path in FILES if path != "asyncapi.json"])
def test_every_schema_is_one(path: str) -> None:
    Draft202012Validator.check_schema(FILES[path])
    assert not validator(path).is_valid([])


def test_every_command_that_a_process_asks_has_a_schema_of_its_own_and_one_for_its_answer() -> None:
    asked = {command for process in discover() for commands in process.commands().values() for command in commands}
    schemas = {f"{kind}/{name}.v{version}.schema.json" for name, version in asked for kind in ("commands", "replies")}
    assert ("ReserveCredit", 1) in asked
    assert schemas == {path for path in FILES if path.startswith(("commands/", "replies/"))}


def test_every_reference_in_the_asyncapi_document_leads_somewhere() -> None:
    content = FILES["asyncapi.json"]
    references = _references(content)
    assert any(each.startswith("./") for each in references) and any(each.startswith("#/") for each in references)
    for reference in references:
        if reference.startswith("./"):
            assert reference.removeprefix("./") in FILES
        else:
            found: Any = content
            for part in reference.removeprefix("#/").split("/"):
                found = found[part]


def test_the_asyncapi_document_says_who_answers_every_command_and_where() -> None:
    for asked in asked_of_services(discover()):
        operation = FILES["asyncapi.json"]["operations"][f"ask_{asked.key}"]
        assert operation["channel"]["$ref"] == f"#/channels/{asked.service}_commands"
        assert operation["reply"]["channel"]["$ref"] == "#/channels/replies"


def _references(content: Any) -> list[str]:
    if isinstance(content, list):
        return [each for inner in content for each in _references(inner)]
    if not isinstance(content, dict):
        return []
    own = [content["$ref"]] if "$ref" in content else []
    return own + [each for inner in content.values() for each in _references(inner)]


# --- what travels ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_of_every_kind_is_valid(name: str) -> None:
    VALIDATORS[wire(name)["kind"]].validate(wire(name))


def test_everything_that_really_travels_is_valid_by_the_schema_of_its_own_command(tmp_path: Path) -> None:
    with WholeShop(tmp_path) as shop:
        assert shop.order()["status"] == "completed"
        assert shop.order(token="tok_declined")["status"] == "failed"
        assert shop.order(token="tok_capture_refused", metadata={"note": ["x"]})["status"] == "failed"
        assert shop.order(customer="grace")["process"] == "invoice/1"
        download = [{"sku": "BARK-ALBUM", "quantity": 1}]
        assert shop.order(shop="squeaky-sounds", items=download)["status"] == "completed"
    travelled = set()
    for _, key, message in shop.broker.seen:
        addressee, title = key.split(".", 1)
        travelled.add(title)
        folder = "replies" if addressee == "shop_manager" else "commands"
        validator(f"{folder}/{title}.schema.json").validate(message)
    asked = {each.title for each in asked_of_services(discover())}
    assert asked - travelled == {"WriteOffPayment.v1"}, "an invoice is written off after 14 days only"


def test_a_reply_takes_only_the_outcomes_that_fit_its_command() -> None:
    reply = {**wire("reply"), "document": {}}
    schema = FILES["replies/ReserveCredit.v1.schema.json"]
    without_document = {**schema, "properties": {**schema["properties"], "document": True}}
    registry = REGISTRY.with_resource("file:///replies/x", DRAFT202012.create_resource(without_document))
    check = Draft202012Validator({"$ref": "file:///replies/x"}, registry=registry)
    assert check.is_valid(reply)
    assert not check.is_valid({**reply, "outcome": "undone"})
    assert not check.is_valid({**reply, "direction": "undo"})
    assert not check.is_valid({**reply, "step": "payment"})


def test_the_document_schema_knows_every_section_that_a_service_owns() -> None:
    assert set(SECTION_OF.values()) <= FILES["document.schema.json"]["properties"].keys()


# --- schema and reader agree -----------------------------------------------------------------------------------------

NOT_FOR_A_SCHEMA = [("id", "clk_1/credit/2/do")]
"""Bad only because another field says something else."""


@pytest.mark.parametrize(("field", "value"), [each for each in BAD_FIELDS if each not in NOT_FOR_A_SCHEMA])
def test_what_the_reader_refuses_is_invalid(field: str, value: Any) -> None:
    assert not VALIDATORS["command"].is_valid({**wire("command"), field: value})


@pytest.mark.parametrize("name", MESSAGES)
def test_a_missing_field_is_invalid_exactly_when_the_reader_needs_it(name: str) -> None:
    for field in wire(name):
        content = {key: value for key, value in wire(name).items() if key != field}
        if field == "kind":
            continue
        kind = wire(name)["kind"]
        if (kind, field) not in LENIENT:
            assert VALIDATORS[kind].is_valid(content) == is_read(content), field


ODD_TEXTS = ["", " ", "\n", "do", "undo", "do\n", "done", "risk", "nobody", "clk_1", "clk_1\n", "Name\n", "a b", "ä",
             "x" * 64, "x" * 65, "x" * 128, "x" * 129, "2026-11-24T04:00:00Z", "2026-11-24T04:00:00.123+01:00",
             "2026-02-30T00:00:00Z", "2026-11-24T04:00:00Z\n", "ZGF0YQ==", "ZGF0Y", "ZGF0YQ==\n",
             COMMAND.traceparent, f"{COMMAND.traceparent}\n"]  # fmt: skip
ODD = [*ODD_TEXTS, None, True, False, 0, 1, -1, 10**9, 10**9 + 1, 0.5, [], [1], {}, {"clerk": 1}, {"clerk": {"id": 7}}]
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False).filter(lambda number: not number.is_integer())  # to a schema 1.0 is an integer
    | st.text(max_size=140)
    | st.sampled_from(ODD_TEXTS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize("name", MESSAGES)
def test_schema_and_reader_agree_on_odd_values_in_every_field(name: str) -> None:
    for field in [field for field in wire(name) if field != "kind"]:
        for value in ODD:
            _agree(name, field, value)


@pytest.mark.parametrize(("kind", "field"), LENIENT)
def test_each_leniency_is_one_still(kind: str, field: str) -> None:
    without = {key: value for key, value in wire(kind).items() if key != field}
    content = without if (kind, field) == ("notice", "body") else {**without, field: 7}
    assert is_read(content)
    assert not VALIDATORS[kind].is_valid(content)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(MESSAGES)), st.data(), JSON)
def test_schema_and_reader_agree_on_whatever_stands_in_a_field(name: str, data: st.DataObject, value: Any) -> None:
    field = data.draw(st.sampled_from([field for field in wire(name) if field != "kind"]))
    _agree(name, field, value)


def _agree(name: str, field: str, value: Any) -> None:
    content = {**wire(name), field: value}
    _put_together_anew(content, field)
    kind = content["kind"]
    valid, read = VALIDATORS[kind].is_valid(content), is_read(content)
    assert read or not valid, f"{kind}.{field}: {value!r} is valid, but is not read"
    assert valid == read or (kind, field) in LENIENT, f"{kind}.{field}: {value!r} is read, but is not valid"


def _reply_or_report(content: dict[str, Any]) -> str:
    return f"report/{content['report']}" if content.get("report") else "reply"


def _put_together_anew(content: dict[str, Any], changed: str) -> None:
    """The fields that follow from others, so that only the changed one can be wrong."""
    if changed not in ("clerk", "step", "attempt", "direction"):
        return
    command = f"{content['clerk']}/{content['step']}/{content['attempt']}/{content['direction']}"
    content["id"] = command if content["kind"] == "command" else f"{command}/{_reply_or_report(content)}"
    if content["kind"] == "reply":
        content["in_reply_to"] = command
    content["document"] = {"clerk": {"id": content["clerk"]}}
