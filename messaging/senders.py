"""Who may say what: which user of the broker speaks for which service (docs/design/security.md, S13). Pure.

A command is ShopManager's to say, a reply that of the service whose step it answers, a notice that of the service that
it names. The broker vouches for the user: RabbitMQ refuses a message that names another one than is logged in.
"""

from __future__ import annotations

from dataclasses import dataclass

from domain.document import SERVICES
from domain.messages import SHOP_MANAGER, Command, Message, ParkedNotice

PLACE = "{service}"


@dataclass(frozen=True, slots=True)
class Senders:
    """`users` is the template of the broker users' names, e.g. `acme-{service}`; ValueError without `{service}`.

    `shared`, where it is set, is a user who may speak for every service, and so may whoever names no user: for
    development, and while the services of a shop change over from one user to one each.
    """

    users: str = PLACE
    shared: str = ""

    def __post_init__(self) -> None:
        if PLACE not in self.users:
            raise ValueError(f"broker users {self.users!r}: allowed is a name with {PLACE} in it")

    def user_of(self, service: str) -> str:
        """The broker user of a service."""
        return self.users.replace(PLACE, service)

    def why_not(self, user: str | None, *services: str) -> str | None:
        """Why this user (None: the message names none) may speak for none of the services; None when it may."""
        users = [self.user_of(service) for service in services]
        if user in users or (self.shared and user in (None, self.shared)):
            return None
        sent = "it names no sender" if user is None else f"it was sent by the broker's user {user!r}"
        return f"{sent}: only {' or '.join(map(repr, users))} may say this"

    def why_forged(self, message: Message, user: str | None) -> str | None:
        """Why the user may not say this command or notice; None when it may, and for a reply: its Clerk must be known.

        ShopManager looks at replies itself, for it knows whom each step asks (`Manager.why_not_heard`).
        """
        if isinstance(message, Command):
            return self.why_not(user, SHOP_MANAGER)
        return self.why_not(user, message.service) if isinstance(message, ParkedNotice) else None

    def why_stranger(self, user: str | None, reader: str) -> str | None:
        """Why nothing that this user sends can be for the reader, ShopManager or a service; None when something can."""
        return self.why_not(user, *(SERVICES if reader == SHOP_MANAGER else (SHOP_MANAGER,)))


BY_NAME = Senders()
"""Each service's user is named as itself, as on the broker in memory."""
