"""Fulfillment's settings."""

from __future__ import annotations

from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from messaging.settings import ServiceSettings


class FulfillmentSettings(ServiceSettings):
    """Variables `CLERK_FULFILLMENT_*` beside those of every service."""

    model_config = SettingsConfigDict(populate_by_name=True)

    warehouse: Literal["auto", "manual"] = Field(
        default="manual",
        validation_alias="CLERK_FULFILLMENT_WAREHOUSE",
        description="auto ships by itself; manual waits until the warehouse says shipped",
    )
    auto_after: float = Field(
        default=1.0,
        ge=0,
        le=86_400,
        validation_alias="CLERK_FULFILLMENT_AUTO_AFTER",
        description="seconds after which the automatic warehouse ships; 0 ships in the moment of being asked",
    )

    @property
    def ships_at_once(self) -> bool:
        return self.warehouse == "auto" and self.auto_after == 0
