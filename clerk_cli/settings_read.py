"""Reads a service's settings from the environment and `.env`; an error names the variable that is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from dotenv.parser import parse_stream
from pydantic import SecretStr, ValidationError

from clerk_cli.errors import CliError, value_errors_reported
from clerk_cli.services import Service
from messaging.secret_files import BadSecretFile, variable_of
from messaging.server_urls import UnclearAccount, account_of, check_account, with_password

if TYPE_CHECKING:
    from messaging.settings import ServiceSettings

FILE = ".env"


def read_settings(service: Service, **given: Any) -> ServiceSettings:
    """The effective settings; `given` wins over the environment. CliError names the variable, and what is allowed."""
    cls = service.settings_class()
    try:
        _check_file(Path(FILE))
        return cls(**given)
    except ValidationError as error:
        wrong = error.errors(include_input=False, include_url=False, include_context=False)
        raise CliError("; ".join(_error_line(cls, each) for each in wrong)) from None
    except UnicodeDecodeError:
        raise CliError("the file .env is not UTF-8 text") from None
    except BadSecretFile as error:
        raise CliError(str(error)) from None
    except OSError as error:
        raise CliError(f"the file .env cannot be read: {error.strerror}") from None


def url_of_flag(service: Service, server: str, url: str) -> str:
    """The URL that a flag gave, with the password of `CLERK_DATABASE_PASSWORD` or `CLERK_BROKER_PASSWORD` put in.

    Only into one that names a user and no password; so a password need not be on the command line.
    """
    try:
        check_account(url)
    except UnclearAccount:
        return url  # whoever opens it says what is wrong
    account = account_of(url)
    if account.user is None or account.password is not None or url.startswith("sqlite"):
        return url
    password: SecretStr = getattr(read_settings(service), f"{server}_password")
    with value_errors_reported():
        return with_password(url, password.get_secret_value()) if password.get_secret_value() else url


def _check_file(path: Path) -> None:
    """Raises CliError for a line that cannot be read, as in a half-written file: defaults would take its place."""
    if not path.is_file():
        return
    with path.open(encoding="utf-8") as lines:
        for binding in parse_stream(lines):
            if binding.error or (binding.key is not None and binding.value is None):
                line = binding.original.line
                raise CliError(f"the file .env, line {line}: cannot be read: allowed is NAME=VALUE, quotes closed")


def _error_line(cls: type[ServiceSettings], wrong: Any) -> str:
    """A validation error as `CLERK_PORT: Input should be a valid integer`; never the value: it may be a secret."""
    path, said = [str(part) for part in wrong["loc"]], str(wrong["msg"]).removeprefix("Value error, ")
    if not path:  # about several settings, which its words name
        return said
    name = variable_of(cls, path[0]) if path[0] in cls.model_fields else ".".join(path)
    return f"setting {name}: {said}"
