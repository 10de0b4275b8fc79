"""Everybody who might knock: what each sends along, and how a line of the table becomes a request of theirs."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any
from urllib.parse import urlencode

import orjson
from sqlalchemy import MetaData, select

from doors.keys import KeyRing
from doors.operators import Operators
from messaging.database import Tx
from shop_manager.dashboard.logins import login_table
from shop_manager.dashboard.writes import csrf_token
from tests.who_may.knocking import Answer, knock
from tests.who_may.open_shop import ROLES, OpenShop
from tests.who_may.table import BODIES, FORMS, QUERIES, Line

ORIGIN = "http://shop.test"
DAY = 86_400_000
MALFORMED = ("Bearer sk_", "Bearer cs_ö", "Basic YTpi", "Bearer hello", "Bearer")
"""As they stand in `Authorization`."""


class Crowd:
    """All callers at this shop."""

    def __init__(self, shop: OpenShop) -> None:
        self._shop = shop
        self._people = Operators(KeyRing(shop.databases["shop_manager"]))
        for role in ROLES:
            self._people.add_operator(f"{role}-with-a-browser", role)

    # --- the API ---------------------------------------------------------------------------------------------------

    def credentials(self, column: str, service: str) -> list[str]:
        """What a caller of that column has in `Authorization`; of the useless ones there are many."""
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

    async def asks(self, line: Line, column: str, authorization: str, *, by_the_front: bool = False) -> Answer:
        """The line's request with these credentials."""
        headers = {"authorization": authorization} if authorization else {}
        named = "own" if column not in ("ended", "own") else column
        body = orjson.dumps(BODIES[line.body]) if line.body in BODIES else b""
        app = self._shop.front if by_the_front else self._shop.apps[line.service]
        query = QUERIES.get(line.body or "", "")
        return await knock(app, line.method, self._path(line.path, named) + query, headers, body)

    # --- the dashboard ---------------------------------------------------------------------------------------------

    async def visits(self, line: Line, column: str) -> Answer:
        """The line's request by a browser; each comes with a login of its own, so that one may log out."""
        token = self._login(column)
        form = {"csrf": csrf_token(token if column != "forged" else "another"), **FORMS.get(line.body or "", {})}
        headers = {"origin": ORIGIN if column != "elsewhere" else "http://evil.test"}
        if column == "key":
            headers["authorization"] = f"Bearer {self._shop.keys['admin']}"
        elif column != "nobody":
            headers["cookie"] = f"clerk_login={token}"
        body = b"" if line.method == "GET" else urlencode(form, doseq=True).encode()
        if body:
            headers["content-type"] = "application/x-www-form-urlencoded"
        return await knock(self._shop.apps[line.service], line.method, self._path(line.path, "own"), headers, body)

    def _login(self, column: str) -> str:
        """A fresh cookie of that visitor; `over` has ended, `gone` is a person's who was disabled since."""
        token, role = secrets.token_urlsafe(32), column if column in ROLES else "admin"
        if column in ("nobody", "key", "unknown"):
            return token
        with self._shop.databases["shop_manager"].begin() as tx:
            age = DAY if column == "over" else 0
            tx.insert(login_table(MetaData()), [self._login_row(tx, token, column, role, age)])
        return token

    def _login_row(self, tx: Tx, token: str, column: str, role: str, age: int) -> dict[str, Any]:
        name = "gone" if column == "gone" else f"{role}-with-a-browser"
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

    def _path(self, path: str, session: str) -> str:
        """The path with things that are there."""
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
            ("{rest:path}", "nothing/here"),
        ):
            path = path.replace(there, name)
        return path
