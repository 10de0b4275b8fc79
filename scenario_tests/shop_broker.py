"""What a shop has on its RabbitMQ: a virtual host with exchanges and queues, and a user with its own rights for each
service (security S13).

A broker that is not ours has one user, whom all services share: there nobody's sender can be told from another's.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from typing import Any
from urllib.parse import urlsplit

from clerk_cli.rabbitmq.permissions import shop_rights
from clerk_cli.rabbitmq.topology import declare_topology
from domain.document import SERVICES
from domain.messages import SHOP_MANAGER
from messaging.rabbitmq.rights import Rights
from messaging.rabbitmq.url import user_in, vhost_in
from messaging.senders import Senders
from scenario_tests.servers import Servers
from scenario_tests.servers.rabbit import RabbitNode

EVERYTHING = {"configure": ".*", "write": ".*", "read": ".*"}


class ShopBroker:
    """`admin_url` is that of a user who may do everything, and name any sender, in the shop's virtual host."""

    def __init__(self, servers: Servers, suffix: str, *, shared: bool = False) -> None:
        """`shared`: all services log in as the one user who may do everything, as they do on a broker of others."""
        self._node = servers.broker if isinstance(servers.broker, RabbitNode) else None
        self._passwords = {service: secrets.token_hex(12) for service in (SHOP_MANAGER, *SERVICES)}
        self.admin_url = servers.broker_url if self._node is None else self._node.url_of(f"test_{suffix}")
        one = user_in(self.admin_url) if shared or self._node is None else ""
        self.senders = Senders(f"test_{suffix}_{{service}}", one)
        self.make()

    @property
    def knows_senders(self) -> bool:
        """Is each service logged in as itself?"""
        return not self.senders.shared

    @property
    def vhost(self) -> str:
        return vhost_in(self.admin_url)

    def make(self) -> None:
        """All that there must be, also after the broker has lost everything: as an operator does it."""
        if self._node is not None:
            file = self._node.folder / f"{self.vhost}.json"
            file.write_text(json.dumps(self._definitions()))
            self._node.ctl("import_definitions", str(file))
        declare_topology(self.admin_url)

    def variables(self, service: str) -> dict[str, str]:
        """The environment variables with which a process of the service logs in."""
        named = {"CLERK_BROKER_USERS": self.senders.users}
        if not self.knows_senders:
            return {**named, "CLERK_BROKER_URL": self.admin_url, "CLERK_BROKER_SHARED_USER": self.senders.shared}
        return {**named, "CLERK_BROKER_URL": self.url_of(service)}

    def url_of(self, service: str) -> str:
        """The URL of the service's own user."""
        parts = urlsplit(self.admin_url)
        account = f"{self.senders.user_of(service)}:{self._passwords[service]}"
        return f"amqp://{account}@{parts.hostname}:{parts.port}{parts.path}"

    def user_named(self, sender: str | None) -> str | None:
        """What a message from this service, or other user, says of its sender."""
        known = self.knows_senders and sender in self._passwords
        return self.senders.user_of(sender) if known and sender else sender if self.knows_senders else None

    def rights_ctl(self, service: str, *, none: bool = False) -> tuple[str, ...]:
        """The arguments of `rabbitmqctl` that take the service's rights away, or give them back."""
        [rights] = [each for each in shop_rights(self.senders) if each.account == service]
        patterns = ("", "", "") if none else (rights.configure, rights.write, rights.read)
        return ("set_permissions", "-p", self.vhost, rights.user, *patterns)

    def password_ctl(self, service: str, *, wrong: bool = False) -> tuple[str, ...]:
        """The arguments of `rabbitmqctl` that change the service's password, or change it back."""
        return "change_password", self.senders.user_of(service), "another one" if wrong else self._passwords[service]

    def _definitions(self) -> dict[str, Any]:
        """Everything at once: a `rabbitmqctl` takes a second or two."""
        rights = shop_rights(self.senders)
        names = {"vhost": self.vhost}
        guest = _user("guest", "guest", ["administrator", "impersonator"])
        return {
            "vhosts": [{"name": self.vhost}],
            "users": [guest, *(_user(each.user, self._passwords[each.account], []) for each in rights)],
            "permissions": [{"user": "guest", **names, **EVERYTHING}, *({**names, **_named(each)} for each in rights)],
            "topic_permissions": [
                {**names, "user": each.user, "exchange": topic.exchange, "write": topic.write, "read": topic.read}
                for each in rights
                for topic in each.topics
            ],
        }


def _named(rights: Rights) -> dict[str, str]:
    return {"user": rights.user, "configure": rights.configure, "write": rights.write, "read": rights.read}


def _user(name: str, password: str, tags: list[str]) -> dict[str, Any]:
    salt = secrets.token_bytes(4)
    hashed = base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()
    return {
        "name": name,
        "password_hash": hashed,
        "hashing_algorithm": "rabbit_password_hashing_sha256",
        "tags": tags,
        "limits": {},
    }
