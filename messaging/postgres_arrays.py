"""Rows for PostgreSQL as one array for each column: the same statement however many rows there are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from psycopg2 import extensions
from sqlalchemy import Table

_ARRAYS = {str: "text[]", int: "bigint[]", bool: "boolean[]", bytes: "bytea[]", float: "double precision[]"}


@cache
def rows_from_arrays(table: Table, columns: Sequence[str]) -> str:
    """`unnest(…)`, with a place for an ArrayLiteral of each column."""
    arrays = ", ".join(f"%s::{_ARRAYS[table.c[column].type.python_type]}" for column in columns)
    return f"unnest({arrays})"


class ArrayLiteral:
    """Values as PostgreSQL reads an array: quicker to write and to read than a parameter for each.

    psycopg2 asks it for its text (`__conform__`, `prepare`, `getquoted`). Backslashes stand in it as they are: psycopg2
    would double each, and PostgreSQL would look at each. So `standard_conforming_strings` has to be on.
    """

    __slots__ = ("_encoding", "_text")

    def __init__(self, values: Iterable[Any]) -> None:
        self._text = "{" + ",".join([_element(value) for value in values]) + "}"
        self._encoding = "utf-8"

    def __conform__(self, _protocol: object) -> ArrayLiteral:
        return self

    def prepare(self, connection: extensions.connection) -> None:
        self._encoding = extensions.encodings[connection.encoding]

    def getquoted(self) -> bytes:
        """ValueError for a NUL, which PostgreSQL keeps in no text."""
        if "\0" in self._text:
            raise ValueError("a text holds a NUL")
        return b"'" + self._text.replace("'", "''").encode(self._encoding) + b"'"


def _element(value: Any) -> str:
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return _bytes(value)
    return str(value)


def _bytes(value: bytes) -> str:
    """As text where it is one in every encoding: that is half as long as its digits, and needs no reading of them."""
    if value.isascii() and b"\0" not in value:
        return _element(value.decode().replace("\\", "\\\\"))
    return _element(f"\\x{value.hex()}")
