"""Puts one service together with its database and its connection to the broker."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from clerk_cli.errors import Trouble
from clerk_cli.services import Service
from domain.messages import SHOP_MANAGER
from messaging.broker import DEAD_QUEUE, REPLIES_QUEUE, Link, commands_queue

if TYPE_CHECKING:
    from fastapi import APIRouter

    from messaging.database import Database
    from messaging.participant import Participant
    from messaging.settings import ServiceSettings

Connect = Callable[[str, str], "Link"]
"""(queue to take from, name of the connection) → link."""


def assemble(
    service: Service, settings: ServiceSettings, database: Database, connect: Connect
) -> tuple[Participant, list[APIRouter]]:
    """The service's running part, not started yet, and its doors. Trouble when its settings or processes are wrong."""
    queues = (REPLIES_QUEUE, DEAD_QUEUE) if service.name == SHOP_MANAGER else (commands_queue(service.name),)
    links = [connect(queue, f"{service.name} {queue}") for queue in queues]
    build: Callable[..., tuple[Participant, list[APIRouter]]] = service.module("main").build
    try:
        return build(settings, database, *links)
    except ValueError as error:
        raise Trouble(str(error)) from None
