"""The body of `PATCH /shop/session/{id}`: a JSON Merge Patch (RFC 7396) of the fields that the client may change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.document import Document
from http_api.conventions import Body, example
from http_api.problems import invalid
from shop_manager.saga.amending import field_of
from shop_manager.sessions import examples
from shop_manager.sessions.opening_request import DisplayName, Email, ShippingAddress, SmallObject, small_object

OBJECTS = ("shipping_address", "metadata")


class AmendSession(Body):
    """What is named is changed; null takes it away, in the objects each of their fields too."""

    model_config = example(examples.AMENDING)

    name: DisplayName | None = None
    email: Email | None = None
    shipping_address: ShippingAddress | None = None
    metadata: SmallObject | None = None


def values_of(body: AmendSession, document: Document) -> dict[str, Any]:
    """The fields that the body names, with the values they have then; Problem 422 when one gets too large by it."""
    given = body.model_dump(include=body.model_fields_set)
    return {name: _value(name, patch, document) for name, patch in given.items()}


def _value(name: str, patch: Any, document: Document) -> Any:
    if name not in OBJECTS:
        return patch
    value = merged(field_of(document, name), patch) if patch is not None else {}
    try:
        return small_object(value)
    except ValueError as error:
        raise invalid(f"$.{name}", f"with what is there already {error}") from None


def merged(target: Any, patch: Any) -> Any:
    """RFC 7396: objects are merged, null takes a field away, everything else takes the place of what was there."""
    if not isinstance(patch, Mapping):
        return patch
    result = dict(target) if isinstance(target, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result
