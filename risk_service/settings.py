"""What can be set about risk."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from messaging.settings import ServiceSettings


class RiskSettings(ServiceSettings):
    """Variables `CLERK_RISK_*` beside those of every service."""

    model_config = SettingsConfigDict(populate_by_name=True)

    default_limit: int = Field(
        default=100_000,
        ge=0,
        validation_alias="CLERK_RISK_DEFAULT_LIMIT",
        description="minor units; a customer risk has never heard of",
    )
    guest_limit: int = Field(
        default=50_000, ge=0, validation_alias="CLERK_RISK_GUEST_LIMIT", description="minor units; each guest session"
    )
