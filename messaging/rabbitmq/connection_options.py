"""What a transport gives to each of its connections: what to ask the broker for, and whom to tell what comes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from messaging.broker import Delivery
from messaging.rabbitmq.forbidden import ForbiddenKeys


@dataclass(frozen=True, slots=True)
class ConnectionOptions:
    """What is asked of every connection of a transport; `parameters` are pika's."""

    parameters: Any
    consumes: str | None
    prefetch: int
    declares: bool

    @property
    def user(self) -> str:
        """As whom we log in: RabbitMQ refuses a message that names another sender (security S13)."""
        return str(self.parameters.credentials.username)


@dataclass(frozen=True, slots=True)
class ConnectionHooks:
    """What a connection tells its transport, from the I/O thread."""

    on_delivery: Callable[[Delivery], None]
    on_ready: Callable[[], None]
    warn: Callable[[str, str], None]
    forbidden: ForbiddenKeys
