"""Reads `SKU=QTY` as people type it at `clerk order`."""

from __future__ import annotations

from collections.abc import Iterable

from clerk_cli.errors import CliError

MOST = 999
"""Pieces of one article in one order (docs/design/processes.md)."""


def read_items(words: Iterable[str]) -> list[dict[str, object]]:
    """`["SQUEAKY-BONE=2"]` → `[{"sku": "SQUEAKY-BONE", "quantity": 2}]`; CliError names the word that is wrong."""
    items: dict[str, int] = {}
    for word in words:
        sku, quantity = _read_one(word)
        if sku in items:
            raise CliError(f"{sku} is named twice: give each article once, with the whole quantity")
        items[sku] = quantity
    return [{"sku": sku, "quantity": quantity} for sku, quantity in items.items()]


def _read_one(word: str) -> tuple[str, int]:
    sku, equals, amount = word.partition("=")
    if not equals or not sku.strip():
        raise CliError(f"{word!r} is no SKU=QTY, for example SQUEAKY-BONE=2")
    if not (amount.isascii() and amount.isdecimal() and 1 <= int(amount[:10]) <= MOST):
        raise CliError(f"{word!r}: the quantity is a whole number from 1 to {MOST}")
    return sku, int(amount)
