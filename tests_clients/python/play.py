"""Plays orders over the generated Python client: `play.py URL happy|declined|cancelled`. Prints how each ended."""

from __future__ import annotations

import sys
import uuid
from http import HTTPStatus

from shop_clerk_client import AuthenticatedClient, Client
from shop_clerk_client.api.payment import pay
from shop_clerk_client.api.sessions import amend_session, cancel_session, open_session, read_session
from shop_clerk_client.api.shop import place_order, put_cart_item, read_cart
from shop_clerk_client.models import (
    AmendSession,
    Cart,
    Item,
    Means,
    OpenedSession,
    OpenSession,
    Payment,
    Problem,
    ProblemCode,
    Quantity,
    Session,
    SessionProblem,
    SessionStatus,
    ShippingAddress,
)

URL = sys.argv[1]
ENDS = (SessionStatus.COMPLETED, SessionStatus.FAILED, SessionStatus.CANCELED, SessionStatus.EXPIRED)


def opened(wanted: OpenSession) -> tuple[OpenedSession, AuthenticatedClient]:
    """A guest's session, and the client that acts with its secret."""
    answer = open_session.sync(client=Client(base_url=URL), body=wanted, idempotency_key=str(uuid.uuid4()))
    assert isinstance(answer, OpenedSession), answer
    return answer, AuthenticatedClient(base_url=URL, token=answer.client_secret, timeout=60.0)


def seen(session: Session, client: AuthenticatedClient, *statuses: SessionStatus) -> Session:
    """Long-poll until the session has one of these statuses."""
    while session.status not in statuses:
        answer = read_session.sync_detailed(
            session.id, client=client, if_none_match=f'"{session.version}"', prefer="wait=20"
        )
        if answer.status_code != HTTPStatus.NOT_MODIFIED:
            assert isinstance(answer.parsed, Session), answer
            session = answer.parsed
    return session


def happy() -> Session:
    """Fills a cart, orders, pays, and follows until the warehouse has the order."""
    address = ShippingAddress(line1="1 Harbour Street", city="Dogtown")
    session, client = opened(OpenSession(shipping_address=address))
    moved = AmendSession(shipping_address=ShippingAddress(city="Cattown"))
    amended = amend_session.sync(session.id, client=client, body=moved, if_match=f'"{session.version}"')
    if isinstance(amended, SessionProblem) and amended.code == "version_conflict":  # its cart came meanwhile
        amended = amend_session.sync(session.id, client=client, body=moved, if_match=f'"{session.version + 1}"')
    assert isinstance(amended, Session), amended
    assert (amended.shipping_address.line1, amended.shipping_address.city) == (address.line1, "Cattown"), amended
    cart = put_cart_item.sync(session.id, "SQUEAKY-BONE", client=client, body=Quantity(quantity=2))
    while isinstance(cart, Problem) and cart.retryable:
        cart = put_cart_item.sync(session.id, "SQUEAKY-BONE", client=client, body=Quantity(quantity=2))
    assert isinstance(cart, Cart) and cart.items[0].quantity == 2, cart
    assert isinstance(read_cart.sync(session.id, client=client), Cart)
    placed = place_order.sync(session.id, client=client)
    assert isinstance(placed, Cart) and placed.total == cart.total, placed
    waiting = seen(session, client, SessionStatus.REQUIRES_ACTION)
    assert waiting.next_action is not None and waiting.next_action.type_ == "pay", waiting
    paid = pay.sync(session.id, client=client, body=Means(token="tok_ok"))
    assert isinstance(paid, Payment) and paid.amount == placed.total, paid
    return seen(waiting, client, *ENDS)


def declined() -> Session:
    """Brings a card along that is declined: the order is undone."""
    session, client = opened(OpenSession.from_dict(with_card("tok_declined")))
    return seen(session, client, *ENDS)


def cancelled() -> Session:
    """Orders, and calls it off before paying; a second time it is the same."""
    session, client = opened(OpenSession(items=[Item(sku="SQUEAKY-BONE", quantity=1)]))
    waiting = seen(session, client, SessionStatus.REQUIRES_ACTION)
    stale = cancel_session.sync(session.id, client=client, if_match='"1"')
    assert isinstance(stale, SessionProblem) and stale.code == "version_conflict", stale
    assert stale.current.version == waiting.version, stale
    asked = cancel_session.sync(session.id, client=client)
    assert isinstance(asked, Session), asked
    ended = seen(waiting, client, *ENDS)
    late = pay.sync(session.id, client=client, body=Means(token="tok_ok"))
    assert isinstance(late, Problem) and late.code is ProblemCode.SESSION_ENDED, late
    return ended


def with_card(token: str) -> dict[str, object]:
    return {"items": [{"sku": "SQUEAKY-BONE", "quantity": 1}], "payment": {"token": token}}


if __name__ == "__main__":
    end = {"happy": happy, "declined": declined, "cancelled": cancelled}[sys.argv[2]]()
    print(end.status.value, end.failure.code if end.failure else "-", end.total)
