"""Risk's settings."""

from __future__ import annotations

import re

from pydantic import Field, field_validator
from pydantic_settings import SettingsConfigDict

from domain.money import is_currency
from messaging.settings import ServiceSettings
from risk_service.credit import Limits

LARGEST_LIMIT = 10**12
"""Minor units."""
SMALL_UNITS = (
    "JPY=150000,KRW=1500000,VND=25000000,CLP=1000000,ISK=150000,XAF=650000,XOF=650000,XPF=120000,"
    "HUF=40000000,IDR=1800000000,COP=450000000"
)
"""Currencies whose unit is so small that a limit of as many units as of euros would be a few coins."""
SMALL_UNITS_OF_GUESTS = (
    "JPY=75000,KRW=750000,VND=12500000,CLP=500000,ISK=75000,XAF=325000,XOF=325000,XPF=60000,"
    "HUF=20000000,IDR=900000000,COP=225000000"
)
_LIMIT = re.compile(r"[0-9]{1,12}")


class RiskSettings(ServiceSettings):
    """Variables `CLERK_RISK_*` beside those of every service."""

    model_config = SettingsConfigDict(populate_by_name=True)

    currency: str = Field(
        default="EUR",
        validation_alias="CLERK_RISK_CURRENCY",
        description="the currency of the two limits below, and of figures for which none is named",
    )
    default_limit: int = Field(
        default=100_000,
        ge=0,
        le=LARGEST_LIMIT,
        validation_alias="CLERK_RISK_DEFAULT_LIMIT",
        description="minor units; a customer risk has never heard of",
    )
    guest_limit: int = Field(
        default=50_000,
        ge=0,
        le=LARGEST_LIMIT,
        validation_alias="CLERK_RISK_GUEST_LIMIT",
        description="minor units; each guest session",
    )
    default_limits: str = Field(
        default=SMALL_UNITS,
        validation_alias="CLERK_RISK_DEFAULT_LIMITS",
        description="the default limit in other currencies, in their minor units, as JPY=150000,…; "
        "else it is the same number of major units",
    )
    guest_limits: str = Field(
        default=SMALL_UNITS_OF_GUESTS,
        validation_alias="CLERK_RISK_GUEST_LIMITS",
        description="the same for each guest session",
    )

    @field_validator("currency")
    @classmethod
    def _currency_is_one(cls, code: str) -> str:
        if not is_currency(code):
            raise ValueError("allowed is a code of ISO 4217, such as EUR")
        return code

    @field_validator("default_limits", "guest_limits")
    @classmethod
    def _limits_can_be_read(cls, text: str) -> str:
        read_limits(text)
        return text

    def limits(self) -> Limits:
        return Limits(
            self.currency,
            self.default_limit,
            self.guest_limit,
            read_limits(self.default_limits),
            read_limits(self.guest_limits),
        )


def read_limits(text: str) -> dict[str, int]:
    """`JPY=150000, KWD=300000` → currency → minor units. ValueError says what is allowed."""
    found: dict[str, int] = {}
    for pair in text.split(",") if text.strip() else ():
        code, _, limit = (part.strip() for part in pair.partition("="))
        if not is_currency(code) or not _LIMIT.fullmatch(limit):
            raise ValueError("allowed is CURRENCY=MINOR_UNITS,…, such as JPY=150000,KWD=300000")
        found[code] = int(limit)
    return found
