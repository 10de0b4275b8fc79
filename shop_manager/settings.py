"""What can be set about ShopManager."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from domain.times import seconds
from messaging.settings import ServiceSettings
from shop_manager.happenings import Policy

Seconds = Annotated[float, Field(gt=0, le=86_400)]


class ShopManagerSettings(ServiceSettings):
    """Variables `CLERK_*` beside those of every service; times in seconds."""

    model_config = SettingsConfigDict(populate_by_name=True)

    secret: SecretStr = Field(
        default=SecretStr(""),
        description="from which sessions' client secrets are derived; at least 32 characters; made and kept in the "
        "database when it is not set",
    )
    session_seconds: Seconds = Field(default=1800, description="how long a session may take to reach the pivot")
    default_shop: str = Field(
        default="squeaky-toys", min_length=1, max_length=128, description="the shop of sessions that name none"
    )
    outbox_bound: int = Field(
        default=100_000, ge=1, description="no new sessions while more deliveries than this wait for the broker"
    )
    resend_first: Seconds = Field(default=5, description="after how long an unanswered command is sent again")
    resend_most: Seconds = Field(default=60, description="the longest pause between two resends")
    undo_tries: int = Field(default=5, ge=1, le=1000, description="failures of an undo until the Clerk is stuck")
    grace: Seconds = Field(default=60, description="what an outage adds to deadlines that fell into it")
    step_limit_factor: float = Field(default=1, gt=0, le=10, description="multiplies every step's limit, for trials")
    behind_proxy: bool = Field(
        default=False, description="believe X-Forwarded-For of a proxy whose address is in FORWARDED_ALLOW_IPS"
    )
    shop_url: str = Field(default="", description="where the shop service's door is; set on the front only")
    risk_url: str = Field(default="", description="where the risk service's door is")
    payment_url: str = Field(default="", description="where the payment service's door is")
    fulfillment_url: str = Field(default="", description="where the fulfillment service's door is")

    def doors(self) -> dict[str, str]:
        """The addresses of the other services, of those that are set."""
        urls = {
            "shop": self.shop_url,
            "risk": self.risk_url,
            "payment": self.payment_url,
            "fulfillment": self.fulfillment_url,
        }
        return {service: url for service, url in urls.items() if url}

    def policy(self) -> Policy:
        return Policy(
            resend_first=seconds(self.resend_first),
            resend_most=seconds(self.resend_most),
            undo_tries=self.undo_tries,
            grace=seconds(self.grace),
            step_limit_factor=self.step_limit_factor,
        )
