"""Everybody who may call: the credentials of each, and how a row of the table becomes a request of theirs."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any
from urllib.parse import urlencode

import orjson
from sqlalchemy import MetaData, select

from http_api.keys import KeyRing
from http_api.operators import Operators
from messaging.database import Tx
from shop_manager.dashboard.csrf import csrf_token
from shop_manager.engine.login_table import login_table
from tests.who_may.asgi_client import AsgiResponse, send_request
from tests.who_may.shop_under_test import ROLES, ShopUnderTest
from tests.who_may.table import BODIES, FORMS, QUERIES, RouteRow

ORIGIN = "http://shop.test"
DAY = 86_400_000
MALFORMED = ("Bearer sk_", "Bearer cs_ö", "Basic YTpi", "Bearer hello", "Bearer")
"""Values of the header `Authorization`."""


class Principals:
    """All principals of this shop, by the columns of the tables."""

    def __init__(self, shop: ShopUnderTest) -> None:
        self._shop = shop
        self._people = Operators(KeyRing(shop.databases["shop_manager"]))
        self._passwords: dict[str, str] = {
            role: self._people.add_operator(f"{role}-with-a-browser", role)[0] for role in ROLES
        }

    # --- the API ---------------------------------------------------------------------------------------------------

    def credentials(self, column: str, service: str) -> list[str]:
        """The `Authorization` values to try for that column: one for most, many for `useless`."""
        if column == "nobody":
            return [""]
        if column in self._shop.secrets:
            return [f"Bearer {self._shop.secrets[column]}"]
        return self._useless(service) if column == "useless" else [f"Bearer {self._shop.keys[column]}"]

    def _useless(self, service: str) -> list[str]:
        keys = self._shop.keys
        wrong = keys["server"][:-4] + ("AAAA" if keys["server"][-4:] != "AAAA" else "BBBB")
        unknown = "op_abcdefghijkl_" + "x" * 43
        known = [keys["revoked"], keys["disabled"], self._shop.elsewhere[service], wrong, unknown]
        return [*(f"Bearer {key}" for key in known), *MALFORMED]

    async def asks(
        self, row: RouteRow, column: str, authorization: str, *, through_gateway: bool = False
    ) -> AsgiResponse:
        """Send the row's request with these credentials."""
        headers = {"authorization": authorization} if authorization else {}
        named = "own" if column not in ("ended", "own") else column
        body = orjson.dumps(BODIES[row.body]) if row.body in BODIES else b""
        app = self._shop.gateway if through_gateway else self._shop.apps[row.service]
        query = QUERIES.get(row.body or "", "")
        return await send_request(app, row.method, self.path_of(row.path, named) + query, headers, body)

    # --- the dashboard ---------------------------------------------------------------------------------------------

    async def visits(self, row: RouteRow, column: str, query: str = "") -> AsgiResponse:
        """Send the row's request as a browser does; each with a login of its own, so that one may log out."""
        token = self._login(column)
        form = {"csrf": csrf_token(token if column != "forged" else "another"), **self._form(row, column)}
        headers = {"origin": ORIGIN if column != "elsewhere" else "http://evil.test"}
        if column == "key":
            headers["authorization"] = f"Bearer {self._shop.keys['admin']}"
        elif column != "nobody":
            headers["cookie"] = f"clerk_login={token}"
        body = b"" if row.method == "GET" else urlencode(form, doseq=True).encode()
        if body:
            headers["content-type"] = "application/x-www-form-urlencoded"
        target = self.path_of(row.path, "own") + query
        return await send_request(self._shop.apps[row.service], row.method, target, headers, body)

    def _form(self, row: RouteRow, column: str) -> dict[str, Any]:
        if row.body != "change":
            return FORMS.get(row.body or "", {})
        new = secrets.token_urlsafe(18)
        return {"old": self._passwords.get(column, "unknown"), "new": new, "again": new}

    def _login(self, column: str) -> str:
        """A new login cookie for that column; that of `over` has ended, that of `gone` is of a disabled operator."""
        token, role = secrets.token_urlsafe(32), column if column in ROLES else "admin"
        if column in ("nobody", "key", "unknown"):
            return token
        if column == "first":  # anew, because the row that changes the password may have come before
            self._passwords[column] = self._people.add_operator("first-with-a-browser", "admin", must_change=True)[0]
        with self._shop.databases["shop_manager"].begin() as tx:
            age = DAY if column == "over" else 0
            tx.insert(login_table(MetaData()), [self._login_row(tx, token, column, role, age)])
        return token

    def _login_row(self, tx: Tx, token: str, column: str, role: str, age: int) -> dict[str, Any]:
        name = {"gone": "gone", "first": "first-with-a-browser"}.get(column, f"{role}-with-a-browser")
        people = self._people.ring.tables.operators
        person = tx.execute(select(people).where(people.c.name == name)).one()
        at = tx.now() - age
        return {
            "hash": hashlib.sha256(token.encode()).hexdigest(),
            "operator": name,
            "role": role,
            "key_id": person.key_id,
            "began_at": at,
            "seen_at": at,
        }

    # --- what is asked for -----------------------------------------------------------------------------------------

    def path_of(self, path: str, session: str) -> str:
        """The path, with existing ids for its parameters."""
        things = self._shop.things
        clerk = self._shop.sessions[session]
        for there, name in (
            ("/bulk/{name}", f"/bulk/{things['bulk']}"),
            ("/bulk/{bulk}", f"/bulk/{things['bulk']}"),
            ("/people/{name}", "/people/somebody"),
            ("/views/{name}", "/views/mine"),
            ("/docs/assets/{name}", "/docs/assets/docs.css"),
            ("/static/{name}", "/static/app.css"),
            ("{move}", "stop"),
            ("{session}", clerk),
            ("{clerk}", clerk),
            ("{customer}", "ada"),
            ("{shop}", "squeaky-toys"),
            ("{sku}", "SQUEAKY-BONE"),
            ("{parked}", things["parked"]),
            ("{key}", things["key"]),
            ("{alert}", "alt_of_a_test"),
            ("{rest:path}", "nothing/here"),
        ):
            path = path.replace(there, name)
        return path
