"""One search for everything: Clerks by all that is known of them, customers, parked messages, operators.

Each kind is one search of an index, and gives its first hits only, so it costs the same however many Clerks there are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, get_args

from sqlalchemy import Column, Integer, Select, bindparam, select, union, union_all

from domain.document import SERVICES
from domain.ids import is_id
from domain.messages import SHOP_MANAGER
from domain.visible_text import comparison_key
from http_api.principals import operator_key
from messaging.database import Tx
from messaging.parked import ParkedMessage
from messaging.statements import KEYS
from shop_manager.engine.search_index import SearchIndex
from shop_manager.engine.search_terms import TermKind, email_hash, name_hash, squeezed, words_of
from shop_manager.engine.tables import clerks, customers, metadata, operations_schema, search_schema, technical
from shop_manager.operations.clerk_reads import read_lines

HitKind = Literal["clerk", "message", "client_reference", "customer", "name", "email", "tracking",
                  "provider_reference", "sku", "parked", "operator"]  # fmt: skip
HitType = Literal["clerk", "customer", "parked", "operator"]
SHORTEST = 2
"""Letters and digits: with fewer nothing is searched for."""
MOST = 50
"""Hits of a kind."""
HIGHEST = "\U0010ffff"
"""Sorts behind all that a term may hold."""
PAST_HEX = "zzzz"
"""Sorts behind hex digits, whatever the database's collation."""
PREFIXED: Sequence[TermKind] = ("client_reference", "customer", "tracking", "provider_reference", "sku")
HASHED: Sequence[TermKind] = ("name", "email", "customer_name", "customer_email")
SHOWN_AS: Mapping[TermKind, HitKind] = {"customer_name": "customer", "customer_email": "customer"}
PERSONAL: Sequence[HitKind] = ("name", "email")
_ORDER: Sequence[HitKind] = get_args(HitKind)
_CLERK = re.compile(r"(?:clk_?)?([0-9a-f]{6,32})")
_PAYMENT = re.compile(r"pay_([0-9a-f]{6,32})")
_PARKED = re.compile(r"(?:prk_?)?([0-9a-f]{6,24})")
_KNOWN_PEOPLE = union(
    select(metadata.tables["operators"].c.name.label("name")), select(metadata.tables["logins"].c.operator)
)
_CUSTOMERS = select(customers.c.id, customers.c.name, customers.c.type).where(customers.c.id.in_(KEYS))
terms, audit = search_schema.terms, operations_schema.audit


def _first_of(kind: TermKind) -> Select[Any]:
    """The first hits of one kind, in the order of the index."""
    fits = (
        (terms.c.term >= bindparam("low")) & (terms.c.term < bindparam("high"))
        if kind in PREFIXED
        else terms.c.term == bindparam(kind)
    )
    rows = select(terms).where(terms.c.kind == kind, fits).order_by(terms.c.term, terms.c.rank, terms.c.target)
    return select(rows.limit(bindparam("most", type_=Integer)).subquery())


def _beginning_with(column: Column[Any]) -> Select[Any]:
    """Ids between two bounds, the latest made first where they tell of their moment."""
    between = (column >= bindparam("low")) & (column <= bindparam("high"))
    return select(column).where(between).order_by(column.desc()).limit(bindparam("most", type_=Integer))


BY_TERM = union_all(*(_first_of(kind) for kind in (*PREFIXED, *HASHED)))
CLERK_IDS = _beginning_with(clerks.c.id)
PARKED_IDS = _beginning_with(technical.parked.c.id)


class Hit(NamedTuple):
    kind: HitKind
    type: HitType
    id: str


def search(tx: Tx, index: SearchIndex, text: str, limit: int, first_steps: Sequence[str]) -> dict[str, Any]:
    """`{query, only: null|{type, id}, groups: [{kind, more, hits: [{type, id, clerk, customer}]}]}`.

    `only` is what was found, when that is one thing; `clerk` a line as in clerk_line.py with its `client_reference`,
    `customer` `{id, name, type}`. Of each kind at most `limit` (MOST at most).
    """
    found = _hits(tx, index, text.strip(), limit + 1)
    lines = _read_clerks(tx, _ids(found, "clerk"), first_steps)
    people = _read_customers(tx, _ids(found, "customer"))
    there = [each for each in found if _is_there(each, lines, people)]
    groups = [_group(kind, [each for each in there if each.kind == kind], limit, lines, people) for kind in _ORDER]
    shown = [group for group in groups if group["hits"]]
    return {"query": text, "only": _only(shown), "groups": shown}


def _hits(tx: Tx, index: SearchIndex, text: str, most: int) -> list[Hit]:
    if len(squeezed(text)) < SHORTEST:
        return []
    low = text.casefold()
    found = [*_by_clerk_id(tx, low, most), *_by_message(text), *_by_term(tx, index, text, most)]
    found += [*_parked(tx, text, low, most), *_operators(tx, text, most)]
    return list(dict.fromkeys(found))


def _by_clerk_id(tx: Tx, text: str, most: int) -> list[Hit]:
    """By the id's beginning, with `clk_` or without; payment's own references are made of it."""
    kind: HitKind = "provider_reference" if _PAYMENT.fullmatch(text) else "clerk"
    match = _PAYMENT.fullmatch(text) or _CLERK.fullmatch(text)
    if match is None and not (text.startswith("clk_") and is_id(text)):
        return []
    ids = _ids_beginning_with(tx, CLERK_IDS, f"clk_{match.group(1)}" if match else text, most)
    return [Hit(kind, "clerk", each) for each in ids]


def _by_message(text: str) -> list[Hit]:
    """A message's id begins with that of its Clerk."""
    clerk, slash, _ = text.partition("/")
    return [Hit("message", "clerk", clerk)] if slash and is_id(clerk) else []


def _by_term(tx: Tx, index: SearchIndex, text: str, most: int) -> list[Hit]:
    rows = sorted(tx.execute(BY_TERM, term_values(index, text, most)), key=lambda row: (row.term, row.rank))
    return [
        Hit(SHOWN_AS.get(row.kind, row.kind), "customer" if row.kind.startswith("customer") else "clerk", row.target)
        for row in rows
    ]


def term_values(index: SearchIndex, text: str, most: int) -> dict[str, Any]:
    """The parameters of BY_TERM. What cannot be a name or an address is searched for as "", which nothing is."""
    low, words = squeezed(text), words_of(text)
    name = name_hash(words, index.hashed) if index.hashed and words else ""
    email = email_hash(text, index.hashed) if index.hashed and "@" in text else ""
    hashes = {"name": name, "customer_name": name, "email": email, "customer_email": email}
    return {"low": low, "high": low + HIGHEST, "most": most, **hashes}


def _parked(tx: Tx, text: str, low: str, most: int) -> list[Hit]:
    """By its own id's beginning, or by the id of the message that it is."""
    match = _PARKED.fullmatch(low)
    ids = _ids_beginning_with(tx, PARKED_IDS, f"prk_{match.group(1)}", most) if match else []
    if "/" in text:
        table = technical.parked
        of_message = [ParkedMessage(service, "", "", text, b"").id for service in (SHOP_MANAGER, *SERVICES)]
        ids += [row.id for row in tx.execute(select(table.c.id).where(table.c.id.in_(of_message)))]
    return [Hit("parked", "parked", each) for each in ids]


def _operators(tx: Tx, text: str, most: int) -> list[Hit]:
    """Those of whom the audit tells something: it names them to everybody."""
    wanted = comparison_key(text)
    names = sorted(row.name for row in tx.execute(_KNOWN_PEOPLE) if comparison_key(row.name).startswith(wanted))
    return [Hit("operator", "operator", name) for name in names[:most] if _has_acted(tx, name)]


def _has_acted(tx: Tx, name: str) -> bool:
    key = operator_key(name)
    return tx.execute(select(audit.c.number).where(audit.c.who_key == key).limit(1)).first() is not None


def _ids_beginning_with(tx: Tx, ids: Select[Any], beginning: str, most: int) -> list[str]:
    rows = tx.execute(ids, {"low": beginning, "high": beginning + PAST_HEX, "most": most})
    return [row.id for row in rows if row.id.startswith(beginning)]


def _ids(found: Iterable[Hit], of: HitType) -> list[str]:
    return sorted({each.id for each in found if each.type == of})


def _read_clerks(tx: Tx, ids: Sequence[str], first_steps: Sequence[str]) -> dict[str, dict[str, Any]]:
    return {line["id"]: line for line in read_lines(tx, ids, first_steps)}


def _read_customers(tx: Tx, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    rows = tx.execute(_CUSTOMERS, {"keys": ids}) if ids else ()
    return {row.id: {"id": row.id, "name": row.name, "type": row.type} for row in rows}


def _is_there(hit: Hit, lines: Mapping[str, Any], people: Mapping[str, Any]) -> bool:
    """The orders under a person's name are left out where that customer was found, who has a page of them."""
    if hit.type == "clerk":
        return hit.id in lines and not (hit.kind in PERSONAL and lines[hit.id]["customer"] in people)
    return hit.type != "customer" or hit.id in people


def _group(
    kind: HitKind, hits: Sequence[Hit], limit: int, lines: Mapping[str, Any], people: Mapping[str, Any]
) -> dict[str, Any]:
    shown = [
        {"type": each.type, "id": each.id, "clerk": lines.get(each.id), "customer": people.get(each.id)}
        for each in hits[:limit]
    ]
    return {"kind": kind, "more": len(hits) > limit, "hits": shown}


def _only(groups: Sequence[Mapping[str, Any]]) -> dict[str, str] | None:
    found = {(each["type"], each["id"]) for group in groups for each in group["hits"]}
    if len(found) != 1 or any(group["more"] for group in groups):
        return None
    [(of, name)] = found
    return {"type": of, "id": name}
