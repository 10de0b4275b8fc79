"""The models of what clients see of sessions, customers and shops, and what these routes say in the OpenAPI document
(http_api/documented.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from http_api.answers import (
    ABSENT,
    Amount,
    Answer,
    Currency,
    JsonObject,
    Moment,
    Page,
    SessionId,
    ShippingAddress,
    SkuShown,
    shown_as,
)
from http_api.documented import (
    ETAG,
    IDEMPOTENCY_KEY,
    IDEMPOTENT_REPLAYED,
    IF_MATCH,
    IF_MATCH_NEEDED,
    IF_NONE_MATCH,
    LAST_EVENT_ID,
    LOCATION,
    MERGE_PATCH,
    NOT_MODIFIED,
    PREFER,
    PREFERENCE_APPLIED,
    documented,
    documented_put,
    documented_read,
)
from http_api.failure_codes import FailureCodeShown, PaymentErrorCodeShown
from http_api.principals import Shown
from shop_manager.saga.state import StepState
from shop_manager.sessions import examples
from shop_manager.sessions.repository import CustomerType, ShopType
from shop_manager.sessions.view import PublicStatus

StepName = Annotated[str, Field(examples=["payment"])]
Path = Annotated[str, Field(json_schema_extra={"format": "uri-reference"}, examples=["/payment/clk_0193k2v8p4q7"])]


class OrderItem(Answer):
    """One line of the order, its price fixed."""

    sku: SkuShown
    name: Annotated[str, Field(examples=["Squeaky bone"])]
    quantity: Annotated[int, Field(examples=[2])]
    unit_amount: Annotated[int, Field(description="minor units", examples=[1295])]
    total: Amount
    kind: Annotated[
        Literal["physical", "digital"], Field(description="missing in orders that were placed before it was kept")
    ] = ABSENT


class Progress(Answer):
    """How far one step is; one that was never asked has no `at`."""

    step: StepName
    state: StepState
    at: Moment = ABSENT


class NextAction(Answer):
    """What the customer can do now, where, and until when."""

    type: Literal["place_order", "pay"]
    href: Path
    expires_at: Moment | None


class Failure(Answer):
    """Why the order is undone, and what becomes of the money."""

    code: FailureCodeShown
    step: StepName | None
    detail: str | None
    money: Annotated[str, Field(examples=["nothing was charged"])]


class Note(Answer):
    """A note for the customer."""

    code: Literal["shipped", "invoice_not_paid", "paid_late"]
    text: str


class PaymentError(Answer):
    """Why the last card was declined."""

    code: PaymentErrorCodeShown
    detail: str | None
    at: Moment


class CustomerShown(Answer):
    """Who the customer of this session is."""

    name: Annotated[str | None, Field(examples=["Ada"])]
    email: Annotated[str | None, Field(examples=["ada@example.org"])]


class Links(Answer):
    """What is allowed now."""

    self: Path
    events: Path
    amend: Annotated[Path, Field(description="for `PATCH`")] = ABSENT
    cancel: Path = ABSENT
    cart: Path = ABSENT
    payment: Path = ABSENT


class Session(Answer):
    """An order session as its customer and the shop's backend see it; the same version always looks the same."""

    model_config = shown_as(examples.SESSION)

    id: SessionId
    object: Literal["shop.session"]
    version: Annotated[int, Field(description="also the `ETag`, in quotes", examples=[7])]
    status: Annotated[
        PublicStatus,
        Field(description="`requires_action`: see `next_action`; `canceling`: being undone, whatever the cause"),
    ]
    payment_status: Literal["none", "authorizing", "authorized", "captured", "voided", "refunded"]
    last_payment_error: Annotated[PaymentError | None, Field(description="the last decline, until one is authorized")]
    fulfillment_status: Literal["none", "reserved", "shipped", "released"]
    process: Annotated[str, Field(examples=["standard/1"])]
    shop: Annotated[str, Field(examples=["squeaky-toys"])]
    currency: Currency
    created_at: Moment
    updated_at: Moment
    expires_at: Moment
    client_reference: str | None
    customer: CustomerShown
    shipping_address: ShippingAddress
    items: list[OrderItem]
    total: Amount
    progress: list[Progress]
    next_action: NextAction | None
    failure: Failure | None
    messages: list[Note]
    metadata: JsonObject
    links: Links


class OpenedSession(Session):
    """The session as it was opened, with the secret of its customer: it is shown here, and never again."""

    model_config = shown_as(examples.OPENED)

    client_secret: Annotated[str, Field(description="`Authorization: Bearer cs_…`", examples=["cs_0193k2v8p4q7"])]


class EventTicket(Answer):
    """What opens the session's event stream once, without `Authorization`."""

    model_config = shown_as(examples.TICKET)

    ticket: Annotated[str, Field(examples=["et_2r9cXUEDV7p0bM0t0vQ3kBqN5oYw1hZ8JmTfL6aGsKd"])]
    href: Annotated[Path, Field(examples=["/shop/session/clk_0193k2v8p4q7/events?ticket=et_2r9cXUEDV7p0bM0t0vQ3kB"])]
    expires_at: Moment


class ClerkDocument(Answer):
    """Everything that is known of an order: one object for each section. Each section has one writer."""

    model_config = shown_as(examples.CLERK, extra="allow")

    clerk: Annotated[JsonObject, Field(description="by ShopManager: id, shop, currency, what was brought along, …")]
    customer: Annotated[JsonObject, Field(description="by ShopManager")]
    order: Annotated[JsonObject, Field(description="by the shop")] = ABSENT
    credit: Annotated[JsonObject, Field(description="by risk")] = ABSENT
    payment: Annotated[JsonObject, Field(description="by payment")] = ABSENT
    shipment: Annotated[JsonObject, Field(description="by fulfillment")] = ABSENT
    metadata: Annotated[JsonObject, Field(description="as the client sent it")]
    failure: Annotated[JsonObject, Field(description="of one that failed, with what only the shop is told")] = ABSENT


class Customer(Answer):
    """A customer who is known to the shop."""

    model_config = shown_as({"id": "ada", **examples.CUSTOMER})

    id: str
    name: str
    email: str | None
    type: CustomerType


class Shop(Answer):
    """A shop: what kind of articles it sells, and in which currency."""

    model_config = shown_as({"id": "squeaky-toys", **examples.SHOP})

    id: str
    name: str
    type: ShopType
    allows_invoice: bool
    currency: Currency


_ENDING = ("not_found", "forbidden", "session_ended", "past_the_pivot", "version_conflict")
_SHOWN_BY: Sequence[Shown] = ("customer", "server", "operator")

OPEN_SESSION = documented(
    OpenedSession,
    201,
    says="The session, with its client secret.",
    headers=[LOCATION, ETAG, IDEMPOTENT_REPLAYED],
    takes=[IDEMPOTENCY_KEY],
    problems=[
        "forbidden", "customer_unknown", "shop_unknown", "too_many_sessions", "idempotency_key_invalid",
        "weak_idempotency_key", "idempotency_conflict", "idempotency_in_flight", "client_secret_gone",
    ],
    shown_by=["server"],
    anybody=True,
)  # fmt: skip
READ_SESSION = documented(
    Session,
    says="The session.",
    empty=NOT_MODIFIED,
    headers=[ETAG, PREFERENCE_APPLIED],
    takes=[IF_NONE_MATCH, PREFER],
    problems=["not_found"],
    shown_by=_SHOWN_BY,
)
FOLLOW_SESSION = documented(
    says="Server-sent events `session`: `id` is the version, `data` a `Session` as JSON.",
    content={"text/event-stream": {"schema": {"type": "string"}}},
    empty={204: "It has ended, and its last version was seen already: do not come back."},
    takes=[LAST_EVENT_ID],
    problems=["not_found"],
    shown_by=_SHOWN_BY,
)
CREATE_EVENT_TICKET = documented(
    EventTicket,
    201,
    says="A ticket that works once, within 60 s.",
    problems=["not_found"],
    shown_by=_SHOWN_BY,
)
READ_CLERK_DOCUMENT = documented_read(ClerkDocument, says="The document.", problems=["not_found"])
AMEND_SESSION = documented(
    Session,
    says="The session as it is now.",
    headers=[ETAG],
    takes=[IF_MATCH_NEEDED],
    problems=[*_ENDING, "version_required", "not_allowed_now"],
    also_as=[MERGE_PATCH],
    current=Session,
    shown_by=("customer", "server"),
)
CANCEL_SESSION = documented(
    Session,
    202,
    says="It is being undone.",
    likewise={200: "It is canceled."},
    headers=[ETAG],
    takes=[IF_MATCH],
    problems=_ENDING,
    current=Session,
    shown_by=("customer", "server"),
)
EXPIRE_SESSION = documented(
    Session,
    202,
    says="It is being undone.",
    likewise={200: "It has expired."},
    headers=[ETAG],
    takes=[IF_MATCH],
    problems=_ENDING,
    current=Session,
)
LIST_SESSIONS = documented(Page[Session], says="A page of sessions.")
READ_CUSTOMER = documented_read(Customer, says="The customer.", problems=["customer_unknown"])
PUT_CUSTOMER = documented_put(Customer, says="The customer as it is now.")
READ_SHOP = documented_read(Shop, says="The shop.", problems=["shop_unknown"])
PUT_SHOP = documented_put(Shop, says="The shop as it is now.")
