"""Refuses weak settings outside `clerk up` and `clerk demo`: known passwords, guessable secrets, files open to others.

`CLERK_DEVELOPMENT=yes` lets them pass with a warning (docs/decisions/055-weak-settings-are-refused.md).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from clerk_cli.data_folder import CREDENTIALS
from clerk_cli.development import MARKER, is_development
from clerk_cli.errors import CliError, one_line
from clerk_cli.loopback import is_loopback
from clerk_cli.owners_only import foreign, open_file, open_folder
from clerk_cli.settings_read import FILE
from clerk_cli.weak_values import weak_password, weak_secret, weak_url
from messaging.secret_files import secret_fields, variable_of
from messaging.server_urls import UnclearAccount, account_of, check_account

if TYPE_CHECKING:
    from pydantic import SecretStr

    from messaging.settings import ServiceSettings

_warned: set[str] = set()


def require_strong_settings(settings: ServiceSettings, *, reachable: bool) -> None:
    """CliError unless `.env`, all secrets and the database's folder are fit for production.

    `reachable`: others reach the address to listen on; then nothing is let pass.
    """
    url = settings.database_url.get_secret_value()
    weak = [*weak_env_file(), *weak_secrets(settings), *weak_alerts(settings), *weak_place(url)]
    refuse(weak, never_mind=not reachable)


def require_strong_database(url: str, setting: str) -> None:
    """CliError unless the database that `setting` names is fit for production: password, or folder."""
    refuse([*weak_urls(setting, url), *weak_place(url)])


def require_strong_broker(url: str, setting: str) -> None:
    """CliError unless the account of the broker that `setting` names is fit for production."""
    refuse([*weak_urls(setting, url)])


def require_strong_passwords(passwords: Mapping[str, str]) -> None:
    """CliError unless all these, by the variable that has each, keep anybody out."""
    refuse([f"{name} {reason}" for name, value in passwords.items() if (reason := weak_password(value))])


def require_strong_env_file() -> None:
    """CliError when others get at `.env`."""
    refuse(list(weak_env_file()))


def require_strong_folder(data: Path) -> None:
    """CliError when others get at the data folder or the credentials in it."""
    refuse([*_weak_folder(data), *_weak_file(data / CREDENTIALS)])


def make_owners_only(data: Path) -> None:
    """What `clerk up` does with its folder: CliError for one of somebody else's, open credentials are closed."""
    path = data / CREDENTIALS
    refuse([f"{str(each)!r} {reason}" for each in (data, path) if (reason := foreign(each))])
    if open_file(path) and not foreign(path):
        path.chmod(0o600)
        warn(f"others on this machine could read {str(path)!r} until now: if they may have, delete it for new keys")
    for weakness in _weak_folder(data):
        warn(weakness)


def weak_env_file() -> Iterator[str]:
    yield from _weak_file(Path(FILE))


def weak_secrets(settings: ServiceSettings) -> Iterator[str]:
    """What is weak about the secrets of these settings: the variable and why, in one line each."""
    cls = type(settings)
    for field in secret_fields(cls):
        value, reason = getattr(settings, field).get_secret_value(), None
        server, _, kind = field.rpartition("_")
        if kind == "url":
            alone = getattr(settings, f"{server}_password").get_secret_value()
            yield from () if alone else weak_urls(variable_of(cls, field), value)
        elif kind == "webhook":  # an address, which may have a secret in it or none
            continue
        elif value and field in ("database_password", "broker_password"):
            reason = weak_password(value, account_of(getattr(settings, f"{server}_url").get_secret_value()).user)
        elif value and kind == "password":
            reason = weak_password(value, getattr(settings, f"{server}_user"))
        elif value:
            reason = weak_secret(value)
        yield from [f"{variable_of(cls, field)} {reason}"] if reason else []


def weak_alerts(settings: ServiceSettings) -> Iterator[str]:
    """As weak_secrets, of where ShopManager's alerts go: nobody on the way may read them."""
    webhook: SecretStr | None = getattr(settings, "alert_webhook", None)
    if webhook is None:
        return
    parts = urlsplit(webhook.get_secret_value())
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        yield "CLERK_ALERT_WEBHOOK sends alerts for everybody on the way to read: allowed is https://…"
    host = getattr(settings, "alert_smtp_host", "")
    if host and getattr(settings, "alert_smtp_tls", "") == "none" and not is_loopback(host):
        yield "CLERK_ALERT_SMTP_TLS is none: mails go for everybody on the way to read: allowed are starttls and tls"


def weak_urls(setting: str, url: str) -> Iterator[str]:
    """As weak_secrets, of one URL; nothing for one that cannot be read, which is told elsewhere."""
    try:
        check_account(url)
    except UnclearAccount:
        return
    reason = weak_url(url)
    if reason:
        yield f"{setting} {reason}"


def weak_place(url: str) -> Iterator[str]:
    """What is weak about the folder of an SQLite file's URL."""
    try:
        file = make_url(url).database if url.startswith("sqlite") else None
    except (ArgumentError, ValueError):
        return
    if file and file != ":memory:":
        yield from _weak_folder(Path(file).parent)


def warn(line: str) -> None:
    """One line on standard error, once in a process."""
    if line not in _warned:
        _warned.add(line)
        sys.stderr.write(f"clerk: warning: {one_line(line)}\n")
        sys.stderr.flush()


def _weak_folder(path: Path) -> Iterator[str]:
    for reason in (foreign(path), open_folder(path)):
        yield from [f"the folder {str(path)!r} {reason}"] if reason else []


def _weak_file(path: Path) -> Iterator[str]:
    reason = open_file(path)
    yield from [f"the file {str(path)!r} {reason}"] if reason else []


def refuse(reasons: list[str], *, never_mind: bool = True) -> None:
    """CliError with the reasons, if there are any; a warning for each where development lets them pass.

    `never_mind` False: others reach the address to listen on, and nothing is let pass.
    """
    if not reasons:
        return
    if not is_development(os.environ):
        raise CliError("; ".join(reasons))
    if not never_mind:
        raise CliError(f"{'; '.join(reasons)} ({MARKER}=yes lets nothing pass on an address that others reach)")
    for reason in reasons:
        warn(f"{reason} ({MARKER}=yes lets it pass)")
