"""`clerk broker permissions`: prints what each service's user may do on RabbitMQ, or sets it (security S13)."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Protocol

from pydantic import SecretStr

from clerk_cli.errors import CliError, value_errors_reported
from clerk_cli.rabbitmq.accounts import management_url, owner_url, passwords_of
from clerk_cli.rabbitmq.control_tool import ControlTool
from clerk_cli.rabbitmq.management_api import ManagementApi
from clerk_cli.services import the_service
from clerk_cli.settings_read import read_settings
from clerk_cli.terminal import print_json
from domain.document import SERVICES
from domain.messages import SHOP_MANAGER
from messaging.rabbitmq.rights import Rights, as_control_commands, rights_of_owner, rights_of_services
from messaging.rabbitmq.url import check_amqp_url, vhost_in
from messaging.senders import Senders
from messaging.settings import senders_of
from shop_manager.processes import discover


class Administration(Protocol):
    """A way to RabbitMQ's users and their rights. Every method raises CliError, with one line, where it cannot."""

    name: str

    def tags_of(self, user: str) -> list[str] | None:
        """The user's tags, each of which is a right of its own; None when there is no such user."""
        ...

    def set_password(self, user: str, password: SecretStr, tags: list[str] | None) -> None:
        """Of a user with these tags, which stay as they are; None makes the user."""
        ...

    def set_rights(self, vhost: str, rights: Rights) -> None: ...


def run_permissions(*, apply: bool, create_users: bool, owner: str | None, as_json: bool) -> None:
    """Print the rights, or set them and say so."""
    if create_users and not apply:
        raise CliError("--create-users is for --apply")
    settings = read_settings(the_service(SHOP_MANAGER))
    with value_errors_reported():
        vhost = vhost_in(check_amqp_url(owner_url() or settings.broker_url.get_secret_value()))
    rights = shop_rights(senders_of(settings), owner)
    if apply:
        passwords = passwords_of([each.account for each in rights]) if create_users else {}
        administration = _administration()
        set_all(administration, vhost, rights, passwords)
    if as_json:
        print_json({"vhost": vhost, "applied": apply, "users": [each.as_json() for each in rights]})
    elif apply:
        print(f"set in the virtual host {vhost} by {administration.name}: {', '.join(each.user for each in rights)}")
    else:
        print("\n".join(shlex.join(["rabbitmqctl", *words]) for words in as_control_commands(rights, vhost)))


def shop_rights(senders: Senders, owner: str | None = None) -> list[Rights]:
    """Of the five, and of the owner's account if it is named; after the commands of the processes there are."""
    commands: dict[str, set[str]] = {service: set() for service in SERVICES}
    for process in discover():
        for service, asked in process.commands().items():
            commands[service] |= {name for name, _ in asked}
    return [*rights_of_services(senders, commands), *([rights_of_owner(owner)] if owner else [])]


def set_all(
    administration: Administration, vhost: str, rights: Sequence[Rights], passwords: dict[str, SecretStr]
) -> None:
    """Set the rights of all, and the passwords of those that have one here; CliError before anything was changed where
    a user is missing, or has a tag: `impersonator` may name any sender, `administrator` may give itself every right.
    """
    tags = {each.user: administration.tags_of(each.user) for each in rights}
    missing = [each.user for each in rights if tags[each.user] is None and each.account not in passwords]
    if missing:
        raise CliError(f"there is no broker user {', '.join(missing)}: --create-users makes those that are missing")
    for each in rights:
        if tags[each.user] and each.account != "owner":
            raise CliError(
                f"the broker user {each.user} has the tags {', '.join(tags[each.user] or [])}, which give it more than "
                f"a service needs: `rabbitmqctl set_user_tags {each.user}` takes them away"
            )
    for each in rights:
        if each.account in passwords:
            administration.set_password(each.user, passwords[each.account], tags[each.user])
        administration.set_rights(vhost, each)


def _administration() -> Administration:
    """RabbitMQ's HTTP API where a URL of it is given, else `rabbitmqctl`."""
    url = management_url()
    return ManagementApi(url, owner_url()) if url else ControlTool()
