"""Reads a service's settings from the environment; a wrong one is told by the name of its variable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from clerk_cli.errors import Trouble
from clerk_cli.services import Service

if TYPE_CHECKING:
    from messaging.settings import ServiceSettings


def read_settings(service: Service, **given: Any) -> ServiceSettings:
    """The effective settings; `given` wins over the environment. Trouble names variable, and what is allowed."""
    cls = service.settings_class()
    try:
        return cls(**given)
    except ValidationError as error:
        wrong = error.errors(include_input=False, include_url=False, include_context=False)
        raise Trouble("; ".join(_told(cls, each) for each in wrong)) from None
    except UnicodeDecodeError:
        raise Trouble("the file .env is not UTF-8 text") from None


def variable_of(cls: type[ServiceSettings], field: str) -> str:
    """The environment variable of a field, e.g. `CLERK_RISK_GUEST_LIMIT`."""
    alias = cls.model_fields[field].validation_alias
    return alias if isinstance(alias, str) else f"{cls.model_config.get('env_prefix', '')}{field}".upper()


def _told(cls: type[ServiceSettings], wrong: Any) -> str:
    """A validation error as `CLERK_PORT: Input should be a valid integer`; never the value: it may be a secret."""
    place = [str(part) for part in wrong["loc"]]
    name = variable_of(cls, place[0]) if place and place[0] in cls.model_fields else ".".join(place)
    return f"setting {name or cls.__name__}: {wrong['msg']}"
