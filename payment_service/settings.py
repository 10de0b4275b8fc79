"""Payment's settings."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from messaging.settings import ServiceSettings
from payment_service.card_tries import PER_ADDRESS


class PaymentSettings(ServiceSettings):
    """Variables `CLERK_PAYMENT_*` beside those of every service."""

    model_config = SettingsConfigDict(populate_by_name=True)

    provider: Literal["test"] = Field(
        default="test", validation_alias="CLERK_PAYMENT_PROVIDER", description="the payment provider to use"
    )
    provider_secret: SecretStr = Field(
        default=SecretStr(""),
        validation_alias="CLERK_PAYMENT_PROVIDER_SECRET",
        description="with which the provider signs its notices; empty refuses them all",
    )
    answer_wait: float = Field(
        default=4.0,
        ge=0,
        le=30,
        validation_alias="CLERK_PAYMENT_ANSWER_WAIT",
        description="seconds that POST /payment/{session} waits for the provider before it answers `authorizing`",
    )
    arrival_wait: float = Field(
        default=2.0,
        ge=0,
        le=10,
        validation_alias="CLERK_PAYMENT_ARRIVAL_WAIT",
        description="seconds that a call waits for a payment that has not arrived yet before it answers 404",
    )
    waiters: int = Field(
        default=12,
        ge=0,
        le=30,
        validation_alias="CLERK_PAYMENT_WAITERS",
        description="calls that may wait at the same time; the others are answered at once",
    )
    declined_per_address: int = Field(
        default=PER_ADDRESS,
        ge=1,
        validation_alias="CLERK_PAYMENT_DECLINED_PER_ADDRESS",
        description="cards that may be declined within an hour to callers without a key from one address",
    )
