"""Participants and the HTTP server of one process: started together, watched, and stopped within the time allowed."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Thread

from fastapi import APIRouter, FastAPI

from clerk_cli.errors import Trouble
from clerk_cli.http_server import HttpServer
from clerk_cli.readiness import checks, figures
from clerk_cli.stopping import leave_in_time
from domain.messages import SHOP_MANAGER
from doors.answering import ProblemPage
from doors.build import service_app
from doors.health import health_router
from doors.keys import KeyRing
from doors.limits import Limits
from messaging.database import Database
from messaging.participant import Participant


def application(
    title: str, routers: Sequence[APIRouter], keys_in: Database, participants: Sequence[Participant]
) -> FastAPI:
    """One FastAPI application with all doors; its keys are those in `keys_in`."""
    health = health_router(lambda: checks(participants), figures(participants))
    pages = _pages() if SHOP_MANAGER in {each.name for each in participants} else None
    app = service_app(title, routers, KeyRing(keys_in), limits=Limits(), health=health, pages_under=pages)
    app.state.checks = {each.name: each.checks for each in participants}  # for the dashboard's home page
    return app


def _pages() -> dict[str, ProblemPage]:
    """Where people come with a browser, and what errors look like there."""
    from shop_manager.dashboard.entrance import HOME  # noqa: PLC0415  # ShopManager alone has pages
    from shop_manager.dashboard.trouble import problem_page  # noqa: PLC0415  # as above

    return {HOME: problem_page}


class Running:
    """What runs in this process. Use it in a `with`: whatever was started is stopped at its end."""

    def __init__(self, participants: Sequence[Participant], server: HttpServer) -> None:
        self.participants = participants
        self.server = server
        self._started: list[Participant] = []

    def __enter__(self) -> Running:
        return self

    def __exit__(self, error: type[BaseException] | None, *_more: object) -> None:
        self.stop(0 if error is None else 2)

    def start_participants(self) -> None:
        """Returns at once."""
        for participant in self.participants:
            participant.start()
            self._started.append(participant)

    def check(self) -> None:
        """Raises Trouble when something has ended that must run."""
        for participant in self.participants:
            if participant.refusal is not None:
                raise Trouble(participant.refusal)
        if not self.server.alive:
            raise Trouble("the HTTP server has ended, see the log")

    def stop(self, code: int) -> None:
        """Take nothing more and finish what is in hand: first the doors, then all participants at once.

        Long polls and event streams are let go before the doors close, so that none of them has to be cut.

        Should it take too long, the process ends at once with `code`.
        """
        leave_in_time(code)
        for participant in self._started:
            participant.on_closing()
        self.server.stop()
        stops = [Thread(target=participant.stop, daemon=True) for participant in self._started]
        for stop in stops:
            stop.start()
        for stop in stops:
            stop.join()
