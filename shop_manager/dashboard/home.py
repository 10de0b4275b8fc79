"""The home page: is anything stuck, why, what does it cost, and is everything else well."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from shop_manager.dashboard.live import Live, partial
from shop_manager.dashboard.shell import ENVIRONMENT, Shell
from shop_manager.ops_reads import summary
from shop_manager.sessions import Sessions


def home_page(router: APIRouter, shell: Shell, live: Live, sessions: Sessions) -> None:
    database, catalogue = sessions.manager.database, sessions.manager.catalogue

    def figures() -> dict[str, Any]:
        with database.read() as tx:
            return summary(tx, catalogue, sessions.first_steps, tx.now())

    def news(_request: Request) -> str:
        found = figures()
        return "".join(
            partial(name, ENVIRONMENT.get_template(f"home_{name}.html").render(summary=found))
            for name in ("verdict", "counts")
        )

    live.parts["home"] = news

    @router.get("")
    def home(request: Request) -> Response:
        return shell.page(request, "home.html", summary=figures(), live="/dashboard/live?of=home")
