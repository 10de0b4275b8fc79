"""The doors, over HTTP: who may come, what is answered, and what is never echoed."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from doors.furnish import furnish
from doors.keys import Holder
from doors.limits import Limits
from payment_service.api import notices_router, payment_router
from payment_service.notices import sign
from payment_service.tests.room import CLERK, START, Room, command
from payment_service.till import Till

SECRET = "cs_of_this_session"
CUSTOMER = {"Authorization": f"Bearer {SECRET}"}
SERVER = {"Authorization": "Bearer sk_shop"}
WAREHOUSE = {"Authorization": "Bearer wk_hall"}
SIGNING = "whsec_of_the_provider"


class Keys:
    """The key ring, as far as these doors use it."""

    def check(self, plain: str) -> Holder | None:
        return {"sk_shop": Holder("a", "server", "shop"), "wk_hall": Holder("b", "warehouse", "hall")}.get(plain)


class Client:
    """Calls the application in this process, one request at a time."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app

    def request(self, method: str, path: str, **words: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://payment") as client:
                return await client.request(method, path, **words)

        return asyncio.run(send())

    def get(self, path: str, **words: Any) -> httpx.Response:
        return self.request("GET", path, **words)

    def post(self, path: str, **words: Any) -> httpx.Response:
        return self.request("POST", path, **words)


@pytest.fixture
def client(room: Room) -> Client:
    app = FastAPI()
    app.state.keys = Keys()
    furnish(app, limits=Limits())
    till = Till(room.database, room.calls, arrival_wait=0.02, answer_wait=5.0, waiters=4)
    app.include_router(notices_router(room.database, room.calls, SecretStr(SIGNING)))
    app.include_router(payment_router(till))
    return Client(app)


@pytest.fixture
def provider(room: Room) -> Iterator[None]:
    """The calls' own thread runs."""
    room.calls.start()
    yield
    room.calls.stop()


def opened(room: Room, **words: Any) -> None:
    """AuthorizePayment has arrived, for the session whose secret is SECRET."""
    asked = command("AuthorizePayment", **words)
    asked.document["clerk"]["secret_sha256"] = hashlib.sha256(SECRET.encode()).hexdigest()
    room.record(asked)
    room.mailbox.committed()


def test_the_customer_and_the_shop_see_the_payment(room: Room, client: Client) -> None:
    opened(room)

    for who in (CUSTOMER, SERVER):
        answer = client.get(f"/payment/{CLERK}", headers=who)
        assert answer.status_code == 200
        assert answer.json() == {
            "session": CLERK,
            "amount": 2590,
            "currency": "EUR",
            "status": "waiting",
            "card": None,
            "expires_at": "2025-11-24T16:15:00.000Z",
            "declined": None,
        }


@pytest.mark.parametrize("who", [{}, WAREHOUSE, {"Authorization": "Bearer cs_somebody_else"}])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_for_everybody_else_there_is_no_payment(room: Room, client: Client, who: dict[str, str], method: str) -> None:
    opened(room)
    body = {"token": "tok_ok"} if method == "POST" else None

    foreign = client.request(method, f"/payment/{CLERK}", headers=who, json=body)
    unknown = client.request(method, "/payment/clk_unknown", headers=who, json=body)

    assert (foreign.status_code, unknown.status_code) == (404, 404)
    assert foreign.json()["code"] == "not_found"
    assert foreign.json() | {"instance": "", "request_id": ""} == unknown.json() | {"instance": "", "request_id": ""}


@pytest.mark.usefixtures("provider")
def test_a_good_card_is_answered_authorized_and_paying_again_is_the_same(room: Room, client: Client) -> None:
    opened(room)

    first = client.post(f"/payment/{CLERK}", headers=CUSTOMER, json={"token": "tok_ok"})
    again = client.post(f"/payment/{CLERK}", headers=CUSTOMER, json={"token": "tok_declined"})

    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json()["status"] == "authorized"
    assert first.json()["card"] == {"brand": "visa", "last4": "4242"}
    assert again.json() == first.json()
    assert room.asked() == ["authorize/1"]


@pytest.mark.usefixtures("provider")
def test_a_declined_card_is_402_and_another_one_may_be_tried(room: Room, client: Client) -> None:
    opened(room)

    declined = client.post(f"/payment/{CLERK}", headers=CUSTOMER, json={"token": "tok_declined"})
    seen = client.get(f"/payment/{CLERK}", headers=CUSTOMER).json()
    accepted = client.post(f"/payment/{CLERK}", headers=CUSTOMER, json={"token": "tok_ok"})

    assert (declined.status_code, declined.json()["code"]) == (402, "card_declined")
    assert declined.json()["session_id"] == CLERK
    assert (seen["status"], seen["declined"]) == ("waiting", "the card was declined")
    assert (accepted.status_code, accepted.json()["status"]) == (202, "authorized")


def test_without_an_answer_in_time_the_payment_is_on_its_way(room: Room, client: Client) -> None:
    opened(room, token="tok_slow")

    answer = client.post(f"/payment/{CLERK}", headers=CUSTOMER, json={"token": "tok_ok"})

    assert (answer.status_code, answer.json()["status"]) == (202, "authorizing")


def test_after_the_deadline_paying_is_409(room: Room, client: Client) -> None:
    opened(room, deadline=START + 1)
    room.now += 1

    answer = client.post(f"/payment/{CLERK}", headers=CUSTOMER, json={"token": "tok_ok"})

    assert (answer.status_code, answer.json()["code"]) == (409, "session_ended")


def test_after_the_undo_paying_is_409(room: Room, client: Client) -> None:
    opened(room)
    room.send(command("VoidPayment"))

    answer = client.post(f"/payment/{CLERK}", headers=CUSTOMER, json={"token": "tok_ok"})

    assert (answer.status_code, answer.json()["code"]) == (409, "session_ended")


@pytest.mark.parametrize("token", ["4242424242424242", "4242-4242-4242-4242"])
def test_a_card_number_is_refused_without_echo_and_kept_nowhere(room: Room, client: Client, token: str) -> None:
    opened(room)

    answer = client.post(f"/payment/{CLERK}", headers=CUSTOMER, json={"token": token})

    assert (answer.status_code, answer.json()["code"]) == (422, "card_number_refused")
    assert "4242" not in answer.text
    assert room.payment().token is None


@pytest.mark.parametrize("body", [{}, {"token": ""}, {"token": 1}, {"token": "a b"}, {"token": "tok_ok", "amount": 1}])
def test_a_wrong_body_is_422(room: Room, client: Client, body: dict[str, Any]) -> None:
    opened(room)

    answer = client.post(f"/payment/{CLERK}", headers=CUSTOMER, json=body)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


def notify(client: Client, notice: dict[str, Any], secret: str = SIGNING, at: int = START) -> Any:
    body = json.dumps(notice).encode()
    headers = {"Content-Type": "application/json", "Provider-Signature": sign(secret, body, at)}
    return client.post("/payment/provider-events", headers=headers, content=body)


AUTHORISED = {
    "id": "evt_1",
    "type": "payment.authorized",
    "key": f"{CLERK}/payment/authorize/1",
    "card": {"brand": "visa", "last4": "4242"},
}


def test_a_signed_notice_is_an_answer_and_its_replay_the_same(room: Room, client: Client) -> None:
    opened(room, token="tok_slow")

    first, again = notify(client, AUTHORISED), notify(client, AUTHORISED)

    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json()
    assert [reply.outcome for reply in room.replies()] == ["done"]
    assert room.payment().status == "authorized"


def test_a_notice_without_a_good_signature_is_401(room: Room, client: Client) -> None:
    opened(room, token="tok_slow")

    wrong = notify(client, AUTHORISED, secret="guessed")
    old = notify(client, AUTHORISED, at=START - 301_000)
    bare = client.post("/payment/provider-events", json=AUTHORISED)

    assert [each.status_code for each in (wrong, old, bare)] == [401, 401, 401]
    assert room.payment().status == "authorizing"


def test_a_notice_of_another_shape_is_422(client: Client) -> None:
    assert notify(client, {"id": "evt_1", "type": "payment.gone", "key": "x"}).status_code == 422
