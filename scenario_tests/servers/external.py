"""External servers, known by their URLs only: they can be used, but not stopped and started."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn


class NotAvailable(RuntimeError):
    """This server is not ours: it was given by its URL."""


@dataclass(frozen=True, slots=True)
class ExternalBroker:
    """A broker at CLERK_TEST_BROKER_URL."""

    url: str
    available = False

    def start(self) -> NoReturn:
        _refuse("broker", "start")

    def stop(self) -> NoReturn:
        _refuse("broker", "stop")

    def kill(self) -> NoReturn:
        _refuse("broker", "kill")

    def wipe(self) -> NoReturn:
        _refuse("broker", "wipe")

    def pause(self) -> NoReturn:
        _refuse("broker", "pause")

    def resume(self) -> NoReturn:
        _refuse("broker", "resume")

    def new_vhost(self, name: str) -> str:
        _refuse("broker", f"new_vhost({name!r})")

    def ctl(self, *arguments: str) -> str:
        _refuse("broker", f"ctl {arguments[0]}")


@dataclass(frozen=True, slots=True)
class ExternalPostgres:
    """A PostgreSQL at CLERK_TEST_DATABASE_URL, whose role may create databases."""

    admin_url: str
    available = False

    def start(self) -> NoReturn:
        _refuse("PostgreSQL", "start")

    def stop(self) -> NoReturn:
        _refuse("PostgreSQL", "stop")

    def kill(self) -> NoReturn:
        _refuse("PostgreSQL", "kill")

    def restart(self) -> NoReturn:
        _refuse("PostgreSQL", "restart")


def _refuse(server: str, act: str) -> NoReturn:
    raise NotAvailable(f"{act} is not available: the {server} was given by its URL and is not ours")
