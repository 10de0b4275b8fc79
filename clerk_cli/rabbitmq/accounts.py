"""The accounts on the broker that no service has: the owner's and the administrator's, and users' first passwords."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values
from pydantic import SecretStr

from clerk_cli.errors import CliError
from clerk_cli.settings_read import FILE
from clerk_cli.weak_settings import require_strong_passwords

OWNER_URL = "CLERK_BROKER_OWNER_URL"
"""Or in a file, as each of the variables here: CLERK_BROKER_OWNER_URL_FILE names it."""
MANAGEMENT_URL = "CLERK_BROKER_MANAGEMENT_URL"
PASSWORDS = {
    "shop_manager": "CLERK_BROKER_PASSWORD_SHOP_MANAGER",
    "shop": "CLERK_BROKER_PASSWORD_SHOP",
    "risk": "CLERK_BROKER_PASSWORD_RISK",
    "payment": "CLERK_BROKER_PASSWORD_PAYMENT",
    "fulfillment": "CLERK_BROKER_PASSWORD_FULFILLMENT",
    "owner": "CLERK_BROKER_PASSWORD_OWNER",
}
"""By account, the variable that has the password of its user."""


def owner_url() -> str | None:
    """The URL of the account that may declare exchanges and queues; None when none is given."""
    return _secret(OWNER_URL)


def management_url() -> str | None:
    """Where RabbitMQ's HTTP API is; None when none is given."""
    return _secret(MANAGEMENT_URL)


def passwords_of(accounts: list[str]) -> dict[str, SecretStr]:
    """By account, the password that its user is to have; CliError when one is missing or weak."""
    found = {account: _secret(PASSWORDS[account]) for account in accounts}
    missing = [PASSWORDS[account] for account, password in found.items() if not password]
    if missing:
        raise CliError(f"no password for new users in {', '.join(missing)}, nor in a file that {missing[0]}_FILE names")
    require_strong_passwords({PASSWORDS[account]: password for account, password in found.items() if password})
    return {account: SecretStr(password) for account, password in found.items() if password}


def _secret(variable: str, environment: Mapping[str, str] = os.environ) -> str | None:
    """What the variable says, or the file that `<variable>_FILE` names; from the environment, else from `.env`."""
    known = {**dotenv_values(FILE), **environment}
    value, file = known.get(variable), known.get(f"{variable}_FILE")
    if value or not file:
        return value or None
    try:
        return Path(file).read_text(encoding="utf-8").strip() or None
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no UTF-8 text"
        raise CliError(f"{variable}_FILE: {file!r} cannot be read: {reason}") from None
