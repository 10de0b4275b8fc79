"""`clerk settings`: prints the settings that each service would run with, secrets masked."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from clerk_cli.services import Service, chosen
from clerk_cli.settings_read import read_settings
from clerk_cli.terminal import console, grid, plain, print_json
from clerk_cli.weak_settings import warn, weak_alerts, weak_env_file, weak_secrets
from messaging.secret_files import variable_of
from messaging.server_urls import MASK, mask


def show_settings(name: str | None, as_json: bool) -> None:
    """Print the effective settings of one service or of all."""
    effective = {service.name: effective_settings(service) for service in chosen(name)}
    if as_json:
        print_json(effective)
        return
    for service in chosen(name):
        console().print(_table(service, effective[service.name]))
        console().print()
    _warn_of_weak(chosen(name))


def _warn_of_weak(services: tuple[Service, ...]) -> None:
    """Say on standard error what `clerk serve` will refuse."""
    for weakness in [
        *weak_env_file(),
        *(each for settings in map(read_settings, services) for each in weak_secrets(settings)),
        *(each for settings in map(read_settings, services) for each in weak_alerts(settings)),
    ]:
        warn(f"`clerk serve` refuses this: {weakness}")


def effective_settings(service: Service) -> dict[str, Any]:
    """Variable → value, secrets masked."""
    settings = read_settings(service)
    cls = type(settings)
    values = {field: getattr(settings, field) for field in cls.model_fields}
    return {variable_of(cls, field): _shown(value, field) for field, value in values.items()}


def _shown(value: Any, field: str) -> Any:
    if field == "alert_webhook":
        return _place_of(value.get_secret_value())
    if isinstance(value, SecretStr):
        return mask(value.get_secret_value(), secret=True)
    if isinstance(value, str):
        return mask(value, secret=False)
    return value if isinstance(value, (int, float, bool)) or value is None else str(value)


def _place_of(webhook: str) -> str:
    """Scheme and host: the rest of a webhook's address is often its secret."""
    parts = urlsplit(webhook)
    return f"{parts.scheme}://{parts.hostname}/{MASK}" if webhook else ""


def _table(service: Service, values: dict[str, Any]) -> Any:
    cls = service.settings_class()
    about = {variable_of(cls, field): info.description or "" for field, info in cls.model_fields.items()}
    table = grid(service.name, "value", "what it is")
    for variable, value in values.items():
        table.add_row(plain(variable), plain("" if value is None else value, "cyan"), plain(about[variable], "dim"))
    return table
