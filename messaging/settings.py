"""The settings that every participant has; each service's own class adds to them (api.md, Settings)."""

from __future__ import annotations

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class ServiceSettings(BaseSettings):
    """From `CLERK_*` environment variables or a `.env` file; an explicit argument wins."""

    model_config = SettingsConfigDict(env_prefix="CLERK_", env_file=".env", extra="ignore", frozen=True)

    database_url: SecretStr = Field(
        default=SecretStr("sqlite:///.clerk/{service}.db"),
        description="where the data is; `{service}` stands for the service's name, so that each has its own",
    )
    broker_url: SecretStr = Field(default=SecretStr("amqp://127.0.0.1:5672/"), description="the RabbitMQ to use")
    host: str = Field(default="127.0.0.1", description="the address to listen on")
    port: int = Field(default=8470, ge=0, le=65535, description="the port to listen on; 0 takes a free one")
    pool: int = Field(default=10, ge=2, le=200, description="database connections of one process")
    log_json: bool = Field(default=False, description="log lines as JSON instead of text")


def url_for(service: str, template: SecretStr) -> str:
    """The service's own URL from a template."""
    return template.get_secret_value().replace("{service}", service)
