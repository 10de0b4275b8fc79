"""What may become of a message on its way besides being late: somebody edits a section that is not his (D1)."""

from __future__ import annotations

import orjson

from domain.messages import SHOP_MANAGER


def edited(body: bytes) -> bytes:
    """The same replies, with the customer renamed and an unknown section added; commands stay as they are.

    Stands for a service that writes where it must not. ShopManager must record it and take none of it.
    """
    messages = orjson.loads(body)
    for message in messages:
        document = message.get("document")
        if message.get("kind") == "reply" and document:
            document["customer"] = {**document.get("customer", {}), "name": "Mallory"}
            document["scribble"] = {"by": f"not {SHOP_MANAGER}"}
    return orjson.dumps(messages)
