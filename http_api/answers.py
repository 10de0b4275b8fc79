"""What all models of answers have in common. They document: nothing is validated by them while the shop runs.

An answer is a plain value, written once; a test compares every answer of a run with its model (docs/decisions/071).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler, TypeAdapter
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

ABSENT: Any = None
"""The default of a member that an answer may lack; one that may be null has a type that says so, and no default."""


EXAMPLE = "x-example"
"""Where a schema carries its example, as JSON text: FastAPI drops every null of a value."""


def _as_answered(schema: dict[str, Any], model: type[BaseModel]) -> None:
    """Required is what has no default, and a default is never sent: a member is there, or it is not."""
    schema["required"] = [name for name, field in model.model_fields.items() if field.is_required()]
    for member in schema.get("properties", {}).values():
        member.pop("default", None)


class Answer(BaseModel):
    """A JSON object that a route answers with. Its schema is built when somebody asks for the OpenAPI document."""

    model_config = ConfigDict(json_schema_extra=_as_answered, defer_build=True)


def shown_as(example: Mapping[str, Any], extra: Literal["allow", "ignore"] = "ignore") -> ConfigDict:
    """The `model_config` of an answer with an example; `openapi.py` shows it wherever the model is answered."""

    def with_example(schema: dict[str, Any], model: type[BaseModel]) -> None:
        _as_answered(schema, model)
        schema[EXAMPLE] = json.dumps(example)

    return ConfigDict(json_schema_extra=with_example, extra=extra, defer_build=True)


T = TypeVar("T")


class Page(Answer, Generic[T]):
    """One page of a list; with `cursor`, the `next_cursor` of a page, comes the one after it."""

    data: list[T]
    has_more: bool
    next_cursor: str | None

    @classmethod
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        """`Page[Product]` is called `ProductPage`."""
        return f"{params[0].__name__}Page"


Moment = Annotated[str, Field(json_schema_extra={"format": "date-time", "examples": ["2026-11-23T14:20:53.000Z"]})]
"""RFC 3339 in UTC, with milliseconds and `Z`."""
Amount = Annotated[int, Field(description="minor units of the currency", examples=[2590])]
Currency = Annotated[str, Field(description="ISO 4217", examples=["EUR"])]
AmountByCurrency = Annotated[dict[str, int], Field(description="minor units, by currency", examples=[{"EUR": 2590}])]
SessionId = Annotated[str, Field(description="of the session, and of its Clerk", examples=["clk_0193k2v8p4q7"])]
SkuShown = Annotated[str, Field(description="the article's number", examples=["SQUEAKY-BONE"])]
JsonObject = dict[str, Any]
"""An object whose members are not ours to say; `openapi.py` gives it one schema, of this name."""


class ShippingAddress(Answer):
    """Where the goods go, as the client has sent it: its usual members, and any others beside them.

    The shop carries it along unread; the warehouse gets it as it is.
    """

    model_config = ConfigDict(extra="allow")

    line1: Annotated[str | None, Field(description="street and number", examples=["1 Harbour Street"])] = ABSENT
    line2: Annotated[str | None, Field(description="floor, flat, building", examples=["Flat 2"])] = ABSENT
    postal_code: Annotated[str | None, Field(examples=["22201"])] = ABSENT
    city: Annotated[str | None, Field(examples=["Arlington"])] = ABSENT
    region: Annotated[str | None, Field(description="state or province", examples=["VA"])] = ABSENT
    country: Annotated[str | None, Field(description="ISO 3166-1, two letters", examples=["US"])] = ABSENT
    phone: Annotated[str | None, Field(description="for the carrier", examples=["+1 555 0100"])] = ABSENT


class _AsShippingAddress:
    """Shows an object that is taken unread as a ShippingAddress in the OpenAPI document."""

    def __get_pydantic_json_schema__(self, _core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = handler(TypeAdapter(ShippingAddress | None).core_schema)  # of a choice it gives the model's reference
        reference: JsonSchemaValue = schema["anyOf"][0]
        return reference


SHOWN_AS_SHIPPING_ADDRESS = _AsShippingAddress()
ServiceName = Literal["shop", "risk", "payment", "fulfillment"]
OperatorRole = Literal["viewer", "support", "operator", "admin"]
KeyScope = Literal["server", "warehouse", "operator", "monitoring"]


class Liveness(Answer):
    """The process answers."""

    status: Literal["ok"]


class ReadinessCheck(Answer):
    """One thing that the service needs, and whether it is well."""

    ok: bool
    detail: str
    age_seconds: Annotated[float, Field(description="how long ago it was last seen at work")] = ABSENT


class Readiness(Answer):
    """Whether the service can do its work; the checks are shown with an access key, and on the service's machine."""

    status: Literal["ready", "not_ready"]
    version: Annotated[str, Field(description="of the product, as in the OpenAPI document")]
    checks: dict[str, ReadinessCheck] = ABSENT


class CurrentKey(Answer):
    """Whose key it is that the call was made with."""

    id: str
    scope: KeyScope
    role: OperatorRole | None
    name: str
    expires_at: Moment | None
    password_change_required: Annotated[
        bool, Field(description="it opens nothing until that person has chosen a password")
    ]
