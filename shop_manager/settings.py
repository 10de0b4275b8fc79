"""The settings of ShopManager, their defaults and limits."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from domain.times import seconds
from domain.trace_urls import check_trace_url
from http_api.openid_options import CALLBACK, OpenIdOptions, check_issuer, read_roles
from shop_manager.alert_settings import AlertSettings
from shop_manager.saga.policy import Policy
from shop_manager.sessions.opening_door import OPENING_WAIT
from shop_manager.sessions.opening_options import GuestLimits, OpeningOptions
from shop_manager.sessions.waiting_places import PER_ADDRESS

Seconds = Annotated[float, Field(gt=0, le=86_400)]


class ShopManagerSettings(AlertSettings):
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
    opening_wait: Seconds = Field(
        default=OPENING_WAIT,
        description="how long a new session may wait for its turn when too many are opened; then it is refused",
    )
    guest_sessions_per_address: int = Field(
        default=500, ge=1, description="sessions that callers without a key may have open at a time from one address"
    )
    guest_sessions_per_hour: int = Field(
        default=20_000, ge=1, description="sessions that all callers without a key may open within an hour"
    )
    guest_megabytes_per_hour: int = Field(
        default=400, ge=1, description="what these sessions may leave in the databases within an hour"
    )
    waiting_per_address: int = Field(
        default=PER_ADDRESS,
        ge=1,
        description="long polls and event streams of one address without a key that may wait at a time",
    )
    resend_first: Seconds = Field(default=5, description="after how long an unanswered command is sent again")
    resend_most: Seconds = Field(default=60, description="the longest pause between two resends")
    undo_tries: int = Field(
        default=5, ge=1, le=1000, description="failures of an undo, or a step past the pivot, until the Clerk is stuck"
    )
    grace: Seconds = Field(default=60, description="what an outage adds to deadlines that fell into it")
    step_limit_factor: float = Field(default=1, gt=0, le=10, description="multiplies every step's limit, for trials")
    behind_proxy: bool = Field(
        default=False, description="believe X-Forwarded-For of a proxy whose address is in FORWARDED_ALLOW_IPS"
    )
    shop_url: str = Field(default="", description="where the shop service's HTTP API is; set on the gateway only")
    risk_url: str = Field(default="", description="where the risk service's HTTP API is")
    payment_url: str = Field(default="", description="where the payment service's HTTP API is")
    fulfillment_url: str = Field(default="", description="where the fulfillment service's HTTP API is")
    gateway_places: int = Field(
        default=16, ge=1, le=1000, description="requests that the gateway passes on to one service at the same time"
    )

    trace_url: str = Field(
        default="", description="where an order's trace is looked at, with {trace_id} in the place of its id"
    )
    oidc_issuer: str = Field(
        default="", description="the OpenID provider that may vouch for operators, by its https:// address"
    )
    oidc_client_id: str = Field(default="", description="as what we are known to the provider")
    oidc_client_secret: SecretStr = Field(default=SecretStr(""), description="our secret at the provider")
    oidc_role_claim: str = Field(
        default="clerk_role",
        min_length=1,
        description="the claim of the ID token that gives roles; a dot leads into it",
    )
    oidc_roles: str = Field(
        default="",
        description="which values of the claim mean which role, as VALUE=ROLE,…; the roles' own names when not set",
    )
    oidc_scope: str = Field(default="openid profile", description="what the provider is asked for")

    @field_validator("trace_url")
    @classmethod
    def _trace_url_has_a_place(cls, template: str) -> str:
        return check_trace_url(template) if template else template

    @field_validator("oidc_issuer")
    @classmethod
    def _issuer_can_be_asked(cls, url: str) -> str:
        return check_issuer(url) if url else url

    @field_validator("oidc_roles")
    @classmethod
    def _roles_can_be_read(cls, text: str) -> str:
        read_roles(text)
        return text

    @model_validator(mode="after")
    def _openid_is_complete(self) -> Self:
        if self.oidc_issuer and not (self.oidc_client_id and self.public_url):
            raise ValueError("CLERK_OIDC_ISSUER needs CLERK_OIDC_CLIENT_ID and CLERK_PUBLIC_URL too")
        return self

    def openid(self) -> OpenIdOptions | None:
        """None without a provider."""
        if not self.oidc_issuer:
            return None
        address = self.public_address()
        return OpenIdOptions(
            issuer=self.oidc_issuer,
            client_id=self.oidc_client_id,
            client_secret=self.oidc_client_secret.get_secret_value(),
            redirect_uri=f"{address.origin}{address.prefix}{CALLBACK}",
            role_claim=self.oidc_role_claim,
            roles=read_roles(self.oidc_roles),
            scope=self.oidc_scope,
        )

    def service_urls(self) -> dict[str, str]:
        """The URLs of the other services, by service, of those that are set."""
        urls = {
            "shop": self.shop_url,
            "risk": self.risk_url,
            "payment": self.payment_url,
            "fulfillment": self.fulfillment_url,
        }
        return {service: url for service, url in urls.items() if url}

    def opening(self) -> OpeningOptions:
        guests = GuestLimits(
            self.guest_sessions_per_address, self.guest_sessions_per_hour, self.guest_megabytes_per_hour * 1_000_000
        )
        return OpeningOptions(self.default_shop, self.session_seconds, self.outbox_bound, guests)

    def policy(self) -> Policy:
        return Policy(
            resend_first=seconds(self.resend_first),
            resend_most=seconds(self.resend_most),
            undo_tries=self.undo_tries,
            grace=seconds(self.grace),
            step_limit_factor=self.step_limit_factor,
        )
