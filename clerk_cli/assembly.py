"""Puts one service together with its database and its connection to the broker."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

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
    """The service's running part, not started yet, and its doors."""
    build: Callable[..., tuple[Participant, list[APIRouter]]] = service.module("main").build
    if service.name == SHOP_MANAGER:
        link, dead_link = connect(REPLIES_QUEUE, "shop_manager"), connect(DEAD_QUEUE, "shop_manager dead letters")
        return build(settings, database, link, dead_link=dead_link)
    return build(settings, database, connect(commands_queue(service.name), service.name))
