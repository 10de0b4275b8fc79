"""The models of what operators read of alerts, and what these routes say in the OpenAPI document."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from http_api.answers import Answer, JsonObject, Moment, Page
from http_api.documented import documented

ChannelName = Literal["webhook", "email"]


class AlertChannel(Answer):
    """A way that alerts go."""

    name: ChannelName
    leads_to: Annotated[str, Field(description="where it leads, without what is secret")]
    waiting: Annotated[int, Field(description="alerts that have not arrived yet")]
    given_up: Annotated[int, Field(description="alerts of the last 30 days that never arrived")]
    delivered_at: Annotated[Moment | None, Field(description="when an alert arrived last")]
    failed_at: Annotated[Moment | None, Field(description="when one did not, of those that wait or were given up")]
    trouble: Annotated[str | None, Field(description="why not")]


class AlertDelivery(Answer):
    """One alert for one channel."""

    id: Annotated[str, Field(description="the alert's; the same in each of its channels")]
    channel: ChannelName
    what: Literal["stuck", "grown", "over", "test"]
    headline: str
    state: Literal["waiting", "delivered", "given_up"]
    tries: int
    trouble: Annotated[str, Field(description="why the last try failed; or what was odd about the one that did not")]
    at: Moment
    next_at: Moment | None
    failed_at: Moment | None
    done_at: Moment | None
    alert: Annotated[JsonObject, Field(description="its body")]


class SentAlert(Answer):
    """An alert that is on its way now."""

    id: str
    channels: list[ChannelName]


LIST_ALERTS = documented(Page[AlertDelivery], says="A page of deliveries.")
LIST_CHANNELS = documented(Page[AlertChannel], says="The channels that are set.")
TEST_ALERTS = documented(SentAlert, 202, says="It is on its way.", problems=["not_allowed_now"], role="admin")
SEND_AGAIN = documented(
    SentAlert, 202, says="It is on its way.", problems=["not_found", "not_allowed_now"], role="admin"
)
