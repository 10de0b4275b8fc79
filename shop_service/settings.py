"""The shop's settings."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from messaging.settings import ServiceSettings


class ShopSettings(ServiceSettings):
    """Variables `CLERK_SHOP_*` beside those of every service."""

    model_config = SettingsConfigDict(populate_by_name=True)

    cart_wait: float = Field(
        default=2.0,
        ge=0,
        le=10,
        validation_alias="CLERK_SHOP_CART_WAIT",
        description="seconds that a call waits at most for a cart that is about to be there",
    )
    cart_waiters: int = Field(
        default=8,
        ge=0,
        le=30,
        validation_alias="CLERK_SHOP_CART_WAITERS",
        description="calls that may wait for a cart at the same time; the others are asked to come again",
    )
