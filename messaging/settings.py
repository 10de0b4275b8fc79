"""The settings that every participant has; each service's own class adds to them (docs/reference/settings.md)."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from domain.public_url import PublicAddress, read_public_url
from domain.web_origins import AllowedOrigins, read_origins
from messaging.secret_files import SecretFiles
from messaging.senders import Senders
from messaging.server_urls import with_password
from messaging.sqlite_engine import SqliteSync


class ServiceSettings(BaseSettings):
    """From `CLERK_*` environment variables or a `.env` file; an explicit argument wins.

    Each secret `CLERK_X` may also be in a file that `CLERK_X_FILE` names. `database_url` and `broker_url` have the
    passwords in them that were given by themselves.
    """

    model_config = SettingsConfigDict(env_prefix="CLERK_", env_file=".env", extra="ignore", frozen=True)

    database_url: SecretStr = Field(
        default=SecretStr("sqlite:///.clerk/{service}.db"),
        description="where the data is; `{service}` stands for the service's name, so that each has its own",
    )
    broker_url: SecretStr = Field(
        default=SecretStr("amqp://127.0.0.1:5672/"), description="the RabbitMQ to use, and the service's own user there"
    )
    broker_users: str = Field(
        default="{service}",
        pattern=r"\{service\}",
        description="the name of each service's broker user; `{service}` stands for the service's name",
    )
    broker_shared_user: str = Field(
        default="",
        description="a broker user whom all services may share, for development and while they change over; whoever "
        "has its password may say everything, and so may messages that name no sender",
    )
    database_password: SecretStr = Field(
        default=SecretStr(""), description="the password for the PostgreSQL URL, as it is; then the URL has none"
    )
    broker_password: SecretStr = Field(
        default=SecretStr(""), description="the password for the broker URL, as it is; then the URL has none"
    )
    host: str = Field(default="127.0.0.1", description="the address to listen on")
    port: int = Field(default=8470, ge=0, le=65535, description="the port to listen on; 0 takes a free one")
    sqlite_sync: SqliteSync = Field(
        default="full",
        description="SQLite only: full waits for the disk at every commit; normal does not, and a power cut may take "
        "the last commits of one service and not of another",
    )
    pool: int = Field(default=10, ge=2, le=200, description="database connections of one process")
    connections: int = Field(
        default=4000,
        ge=16,
        le=100_000,
        description="HTTP connections at the same time, fewer where the limit of open files (ulimit -n) is low",
    )
    shop_manager_url: str = Field(
        default="",
        description="where ShopManager's HTTP API is: every other service asks it whether a key is still good",
    )
    log_json: bool = Field(default=False, description="log lines as JSON instead of text")
    public_url: str = Field(
        default="",
        description="the address under which the outside reaches the shop, such as https://shop.example/orders: it "
        "settles links, and on the dashboard cookies and which page's forms are taken",
    )

    allowed_origins: str = Field(
        default="",
        description="the origins whose pages may call from a customer's browser, as https://NAME,…; `*` for all of "
        "them, none when not set",
    )

    @field_validator("allowed_origins")
    @classmethod
    def _origins_can_be_read(cls, text: str) -> str:
        read_origins(text)
        return text

    @field_validator("public_url")
    @classmethod
    def _public_url_can_be_read(cls, url: str) -> str:
        read_public_url(url)
        return url

    def public_address(self) -> PublicAddress:
        """Of an address that is not set, nothing is known."""
        return read_public_url(self.public_url)

    def origins(self) -> AllowedOrigins:
        """None, unless some are set."""
        return read_origins(self.allowed_origins)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Adds the secrets in files. BadSecretFile when one cannot be had."""
        both = [each.env_vars for each in (dotenv_settings, env_settings) if isinstance(each, EnvSettingsSource)]
        variables = {name: value for each in both for name, value in each.items()}
        return init_settings, SecretFiles(settings_cls, variables), env_settings, dotenv_settings

    @model_validator(mode="before")
    @classmethod
    def _put_passwords_into_urls(cls, values: dict[str, Any]) -> dict[str, Any]:
        completed = dict(values)
        for server in ("database", "broker"):
            url, password = _plain(values.get(f"{server}_url")), _plain(values.get(f"{server}_password"))
            if password and url and not url.startswith("sqlite"):
                completed[f"{server}_url"] = _completed(f"CLERK_{server.upper()}", url, password)
        return completed

    @field_validator("shop_manager_url")
    @classmethod
    def _url_can_be_used(cls, url: str) -> str:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.username is None and parts.port != 0
        if url and not usable:
            raise ValueError("allowed is http://HOST:PORT or https://…, without a name or password")
        return url


def senders_of(settings: ServiceSettings) -> Senders:
    """Which broker user may say what, as these settings have it."""
    return Senders(settings.broker_users, settings.broker_shared_user)


def _plain(value: str | SecretStr | None) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else value or ""


def _completed(variable: str, url: str, password: str) -> str:
    try:
        return with_password(url, password)
    except ValueError as error:
        words = f"setting {variable}_PASSWORD cannot be put into {variable}_URL: {error}"
        raise PydanticCustomError("password_has_no_place", "{words}", {"words": words}) from None


def url_for(service: str, template: SecretStr) -> str:
    """The service's own URL from a template."""
    return template.get_secret_value().replace("{service}", service)
