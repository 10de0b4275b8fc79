"""Secrets from files: `CLERK_SECRET_FILE=/run/secrets/x` in place of `CLERK_SECRET`, and so for every secret setting.

Docker and Kubernetes hand secrets over like that; a file is in no list of processes, and no child inherits it.
"""

from __future__ import annotations

import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

LARGEST = 64 * 1024
"""Bytes."""


class BadSecretFile(ValueError):
    """A secret cannot be had from its file. The message is one line that names the variable; never what is in it."""


def variable_of(settings: type[BaseSettings], field: str) -> str:
    """The environment variable of a field, e.g. `CLERK_RISK_GUEST_LIMIT`."""
    alias = settings.model_fields[field].validation_alias
    return alias if isinstance(alias, str) else f"{settings.model_config.get('env_prefix', '')}{field}".upper()


def secret_fields(settings: type[BaseSettings]) -> list[str]:
    """The names of the fields that hold secrets."""
    return [name for name, field in settings.model_fields.items() if field.annotation is SecretStr]


def read_secret(variable: str, path: str) -> str:
    """The text in the file, without the line ends behind it. A BadSecretFile names `variable`.

    A path that leads to no file is not shown: somebody may have taken `CLERK_SECRET_FILE` for `CLERK_SECRET`.
    """
    try:
        found = Path(path).stat()
        content = Path(path).read_bytes() if stat.S_ISREG(found.st_mode) and found.st_size <= LARGEST else None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "this is no path"
        raise BadSecretFile(f"setting {variable} names a file that cannot be read: {reason}") from None
    if content is None:
        raise BadSecretFile(f"setting {variable}: {path!r} is no file of at most {LARGEST // 1024} KiB")
    if found.st_mode & stat.S_IWOTH:
        raise BadSecretFile(f"setting {variable}: everybody on this machine may change {path!r}: chmod o-w {path}")
    return _text(variable, path, content)


def _text(variable: str, path: str, content: bytes) -> str:
    try:
        text = content.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise BadSecretFile(f"setting {variable}: {path!r} is not UTF-8 text: write base64 or hex into it") from None
    if not text.strip():
        raise BadSecretFile(f"setting {variable}: {path!r} is empty")
    if not text.isprintable():
        raise BadSecretFile(f"setting {variable}: {path!r} has more than one line, or control characters in it")
    return text


class SecretFiles(PydanticBaseSettingsSource):
    """A source of settings: for each secret field `X` the content of the file that `X_FILE` names.

    `variables` are those of the environment over those of `.env`, by their names in small letters.
    """

    def __init__(self, settings: type[BaseSettings], variables: Mapping[str, str | None]) -> None:
        super().__init__(settings)
        self._variables = variables

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        variable = variable_of(self.settings_cls, field_name)
        path = self._variables.get(f"{variable}_FILE".lower())
        if not path:
            return None, field_name, False
        if self._variables.get(variable.lower()):
            raise BadSecretFile(f"settings {variable} and {variable}_FILE are both set: only one of them may be")
        return read_secret(f"{variable}_FILE", path), field_name, False

    def __call__(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name in secret_fields(self.settings_cls):
            field = self.settings_cls.model_fields[name]
            value, _, _ = self.get_field_value(field, name)
            if value is not None:
                found[str(field.validation_alias or name)] = value
        return found
