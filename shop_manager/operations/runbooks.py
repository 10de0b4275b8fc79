"""Runbooks: for a service or for one cause of being stuck, a link to what to do, and who is responsible.

A cause has what was set for itself; what was not, it has from its service.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple

from pydantic import AfterValidator, Field, model_validator
from sqlalchemy import delete, select

from domain.http_urls import http_url
from domain.times import to_wire
from http_api.answers import ServiceName
from http_api.conventions import Body, example, page
from http_api.principals import Principal
from http_api.problems import Problem
from messaging.database import Database, Tx
from shop_manager.engine.tables import operations_schema
from shop_manager.operations.audit import AuditLine, record
from shop_manager.operations.requests import Said, ShortText
from shop_manager.operations.roles import require

table = operations_schema.runbooks
KEYS = ("service", "process", "step", "kind", "code")
CAUSE = KEYS[1:]
MOST = 500
"""Runbooks that there may be."""


def _checked_link(link: str) -> str:
    if http_url(link) is None or any(sign in link for sign in ' "<>'):
        raise ValueError("allowed is https://HOST/PATH, without a name or password")
    return link


RunbookLink = Annotated[str, Field(max_length=1000), AfterValidator(_checked_link)]


class RunbookAsk(Body):
    """What is set for a service, or for a cause, whose four parts are all needed; neither link nor name: nothing."""

    model_config = example(
        {
            "service": "payment",
            "link": "https://wiki.example/payment",
            "responsible": "the payments team",
            "reason": "new",
        }
    )

    service: ServiceName | None = None
    process: ShortText | None = None
    step: ShortText | None = None
    kind: ShortText | None = None
    code: ShortText | None = None
    link: RunbookLink | None = None
    responsible: Annotated[Said, Field(max_length=200)] | None = None
    reason: Said

    @model_validator(mode="after")
    def _is_about_one_thing(self) -> RunbookAsk:
        of_cause = [getattr(self, name) is not None for name in CAUSE]
        if any(of_cause) != all(of_cause) or all(of_cause) == (self.service is not None):
            raise ValueError("either `service` is needed, or `process`, `step`, `kind` and `code`")
        return self

    def about(self) -> dict[str, str]:
        """The key of its row: what it is not about is empty."""
        return {name: getattr(self, name) or "" for name in KEYS}


class Runbook(NamedTuple):
    link: str | None = None
    responsible: str | None = None


class RunbookShelf:
    """All of them, as one transaction has read them."""

    def __init__(self, tx: Tx) -> None:
        rows = tx.execute(select(table)).all()
        self._of = {tuple(getattr(row, name) for name in KEYS): Runbook(row.link, row.responsible) for row in rows}

    def of_cause(self, cause: Mapping[str, Any]) -> dict[str, str | None]:
        """`{runbook, responsible}`: what was set for the cause, and where nothing was, for its service."""
        own = self._of.get(("", *(cause[name] for name in CAUSE)), Runbook())
        shared = self._of.get((cause["service"] or "", "", "", "", ""), Runbook())
        return {"runbook": own.link or shared.link, "responsible": own.responsible or shared.responsible}


class Runbooks:
    """`save` needs an operator, and every attempt is in the audit."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def require(self, who: Principal) -> None:
        """Problem `forbidden` for a viewer; the attempt is written down."""
        require(self._database, who, "operator", "runbook", "runbooks")

    def all(self) -> dict[str, Any]:
        """A page of `{service, process, step, kind, code, link, responsible, at, who}`, services first."""
        with self._database.read() as tx:
            rows = tx.execute(select(table).order_by(table.c.service.desc(), *(table.c[name] for name in CAUSE)))
            return page([_line(row._asdict()) for row in rows], MOST, None)

    def save(self, who: Principal, asked: RunbookAsk) -> dict[str, Any]:
        """The runbook as it is then. Without link and name it is taken away. Problem 409 when there are MOST."""
        self.require(who)
        about = asked.about()
        new = {"link": asked.link, "responsible": asked.responsible}
        with self._database.begin() as tx:
            now = tx.lock(["runbooks"])
            same = [table.c[name] == value for name, value in about.items()]
            row = tx.execute(select(table).where(*same)).first()
            many = len(tx.execute(select(table.c.kind)).all())
            refused = row is None and many >= MOST
            before = None if row is None else {name: getattr(row, name) for name in new}
            outcome = "not_allowed_now" if refused else "done"
            target = f"runbook:{asked.service or ' '.join(about[name] for name in CAUSE)}"
            record(tx, who, AuditLine("runbook", target, outcome, asked.reason, before=before, after=new), now)
            if not refused and any(new.values()):
                tx.upsert(table, [{**about, **new, "at": now, "who": (who.name or "")[:128]}], KEYS)
            elif not refused:
                tx.execute(delete(table).where(*same))
        if refused:
            raise Problem("not_allowed_now", f"There are {MOST} runbooks already: take one away first.")
        return _line({**about, **new, "at": now, "who": who.name or ""})


def _line(row: Mapping[str, Any]) -> dict[str, Any]:
    set_ones = {name: row[name] or None for name in (*KEYS, "link", "responsible")}
    return {**set_ones, "at": to_wire(row["at"]), "who": row["who"]}
