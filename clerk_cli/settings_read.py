"""Reads a service's settings from the environment; a wrong one is told by the name of its variable."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from dotenv.parser import parse_stream
from pydantic import ValidationError

from clerk_cli.errors import Trouble
from clerk_cli.services import Service

if TYPE_CHECKING:
    from messaging.settings import ServiceSettings

FILE = ".env"


def read_settings(service: Service, **given: Any) -> ServiceSettings:
    """The effective settings; `given` wins over the environment. Trouble names variable, and what is allowed."""
    cls = service.settings_class()
    try:
        _check_file(Path(FILE))
        return cls(**given)
    except ValidationError as error:
        wrong = error.errors(include_input=False, include_url=False, include_context=False)
        raise Trouble("; ".join(_told(cls, each) for each in wrong)) from None
    except UnicodeDecodeError:
        raise Trouble("the file .env is not UTF-8 text") from None


def _check_file(path: Path) -> None:
    """A line that cannot be read, as in a file that was written by half, is trouble: defaults would take its place."""
    if not path.is_file():
        return
    with path.open(encoding="utf-8") as lines:
        for binding in parse_stream(lines):
            if binding.error or (binding.key is not None and binding.value is None):
                line = binding.original.line
                raise Trouble(f"the file .env, line {line}: cannot be read: allowed is NAME=VALUE, quotes closed")


def variable_of(cls: type[ServiceSettings], field: str) -> str:
    """The environment variable of a field, e.g. `CLERK_RISK_GUEST_LIMIT`."""
    alias = cls.model_fields[field].validation_alias
    return alias if isinstance(alias, str) else f"{cls.model_config.get('env_prefix', '')}{field}".upper()


def _told(cls: type[ServiceSettings], wrong: Any) -> str:
    """A validation error as `CLERK_PORT: Input should be a valid integer`; never the value: it may be a secret."""
    place = [str(part) for part in wrong["loc"]]
    name = variable_of(cls, place[0]) if place and place[0] in cls.model_fields else ".".join(place)
    return f"setting {name or cls.__name__}: {wrong['msg']}"
