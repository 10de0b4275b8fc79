"""Payment's HTTP routes: who may use them, what they respond, and what is never echoed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from http_api.tests.client import ServiceClient
from payment_service.api import payment_router, webhooks_router
from payment_service.card_tries import CardTries
from payment_service.provider_webhooks import sign
from payment_service.tests.harness import CLERK, START, PaymentHarness, command
from payment_service.use_cases import PaymentUseCases

SECRET = "cs_of_this_session"
SIGNING = "whsec_of_the_provider"


@pytest.fixture
def client(harness: PaymentHarness) -> ServiceClient:
    payments = PaymentUseCases(
        harness.database, harness.gateway, harness.under_way, arrival_wait=0.02, answer_wait=5.0, waiters=4
    )
    webhooks = webhooks_router(harness.database, harness.gateway, SecretStr(SIGNING))
    return ServiceClient(harness.database, [webhooks, payment_router(payments)])


@pytest.fixture
def provider(harness: PaymentHarness) -> Iterator[None]:
    """The gateway's own thread runs."""
    harness.gateway.start()
    yield
    harness.gateway.stop()


def opened(harness: PaymentHarness, **words: Any) -> None:
    """AuthorizePayment has arrived, for the session whose secret is SECRET."""
    asked = command("AuthorizePayment", **words)
    asked.document["clerk"]["secret_sha256"] = hashlib.sha256(SECRET.encode()).hexdigest()
    harness.record(asked)
    harness.work_queue.committed()


def test_the_customer_and_the_shop_see_the_payment(harness: PaymentHarness, client: ServiceClient) -> None:
    opened(harness)

    for key in (SECRET, client.server):
        answer = client.call("GET", f"/payment/{CLERK}", key)
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


@pytest.mark.parametrize(("key", "status"), [(None, 401), ("warehouse", 403), ("cs_somebody_else", 404)])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_for_everybody_else_there_is_no_payment(
    harness: PaymentHarness, client: ServiceClient, key: str | None, status: int, method: str
) -> None:
    key = client.warehouse if key == "warehouse" else key
    opened(harness)
    body = {"token": "tok_ok"} if method == "POST" else None

    foreign = client.call(method, f"/payment/{CLERK}", key, body)
    unknown = client.call(method, "/payment/clk_unknown", key, body)

    assert (foreign.status_code, unknown.status_code) == (status, status)
    assert foreign.json() | {"instance": "", "request_id": ""} == unknown.json() | {"instance": "", "request_id": ""}


@pytest.mark.usefixtures("provider")
def test_a_good_card_is_answered_authorized_and_paying_again_is_the_same(
    harness: PaymentHarness, client: ServiceClient
) -> None:
    opened(harness)

    first = client.call("POST", f"/payment/{CLERK}", SECRET, {"token": "tok_ok"})
    again = client.call("POST", f"/payment/{CLERK}", SECRET, {"token": "tok_declined"})

    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json()["status"] == "authorized"
    assert first.json()["card"] == {"brand": "visa", "last4": "4242"}
    assert again.json() == first.json()
    assert harness.asked() == ["authorize/1"]


@pytest.mark.usefixtures("provider")
def test_a_declined_card_is_402_and_another_one_may_be_tried(harness: PaymentHarness, client: ServiceClient) -> None:
    opened(harness)

    declined = client.call("POST", f"/payment/{CLERK}", SECRET, {"token": "tok_declined"})
    seen = client.call("GET", f"/payment/{CLERK}", SECRET).json()
    accepted = client.call("POST", f"/payment/{CLERK}", SECRET, {"token": "tok_ok"})

    assert (declined.status_code, declined.json()["code"]) == (402, "card_declined")
    assert declined.json()["session_id"] == CLERK
    assert (seen["status"], seen["declined"]) == ("waiting", "the card was declined")
    assert (accepted.status_code, accepted.json()["status"]) == (202, "authorized")


@pytest.mark.usefixtures("provider")
def test_S5_the_card_after_twenty_declined_ones_is_not_sent_to_the_provider(
    harness: PaymentHarness, client: ServiceClient
) -> None:
    opened(harness)
    statuses = [
        client.call("POST", f"/payment/{CLERK}", SECRET, {"token": "tok_declined"}).status_code for _ in range(20)
    ]
    assert statuses == [402] * 20

    refused = client.call("POST", f"/payment/{CLERK}", SECRET, {"token": "tok_ok"})

    assert (refused.status_code, refused.json()["code"]) == (409, "too_many_cards")
    assert "cancel" not in refused.json()["detail"]
    assert harness.payment().tries == 20


@pytest.mark.usefixtures("provider")
def test_the_last_card_that_is_taken_asks_for_no_other(harness: PaymentHarness, client: ServiceClient) -> None:
    opened(harness)
    said = [
        client.call("POST", f"/payment/{CLERK}", SECRET, {"token": "tok_declined"}).json()["detail"] for _ in range(20)
    ]
    assert [detail.endswith("send the `token` of another card") for detail in said] == [True] * 19 + [False]
    assert said[-1] == "the card was declined; nothing was charged: this session takes no other card"


def cards_at(harness: PaymentHarness, client: ServiceClient, tries: CardTries) -> ServiceClient:
    payments = PaymentUseCases(
        harness.database,
        harness.gateway,
        harness.under_way,
        arrival_wait=0.02,
        answer_wait=5.0,
        waiters=4,
        tries=tries,
    )
    return ServiceClient(harness.database, [payment_router(payments)])


@pytest.mark.usefixtures("provider")
def test_S5_cards_are_bounded_by_address_over_many_sessions(harness: PaymentHarness, client: ServiceClient) -> None:
    client = cards_at(harness, client, CardTries(3))
    sessions = [f"clk_0193a00000007000800000000000000{number}" for number in range(5)]
    for session in sessions:
        opened(harness, clerk=session)

    def pays(session: str, token: str, key: str = SECRET) -> httpx.Response:
        return client.call("POST", f"/payment/{session}", key, {"token": token})

    assert pays(sessions[0], "tok_ok").status_code == 202, "an approved one is not counted"
    assert [pays(session, "tok_declined").status_code for session in sessions[1:4]] == [402] * 3
    before = len(harness.provider.calls)

    refused = pays(sessions[4], "tok_ok")

    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_declined")
    assert (refused.json()["session_id"], refused.headers["Retry-After"]) == (sessions[4], "1200")
    assert len(harness.provider.calls) == before, "nothing was sent to the provider"
    assert pays(sessions[0], "tok_ok").status_code == 202, "what is paid is told all the same"
    assert pays(sessions[4], "tok_ok", client.server).status_code == 202, "the shop's backend is never refused for it"


def test_without_an_answer_in_time_the_payment_is_on_its_way(harness: PaymentHarness, client: ServiceClient) -> None:
    opened(harness, token="tok_slow")

    answer = client.call("POST", f"/payment/{CLERK}", SECRET, {"token": "tok_slow"})
    other = client.call("POST", f"/payment/{CLERK}", SECRET, {"token": "tok_ok"})

    assert (other.status_code, other.json()["code"]) == (409, "payment_in_flight")
    assert (other.json()["retryable"], other.headers["Retry-After"]) == (True, "1")
    assert (answer.status_code, answer.json()["status"]) == (202, "authorizing")


def test_after_the_deadline_paying_is_409(harness: PaymentHarness, client: ServiceClient) -> None:
    opened(harness, deadline=START + 1)
    harness.now += 1

    answer = client.call("POST", f"/payment/{CLERK}", SECRET, {"token": "tok_ok"})

    assert (answer.status_code, answer.json()["code"]) == (409, "session_ended")


def test_after_the_undo_paying_is_409(harness: PaymentHarness, client: ServiceClient) -> None:
    opened(harness)
    harness.send(command("VoidPayment"))

    answer = client.call("POST", f"/payment/{CLERK}", SECRET, {"token": "tok_ok"})

    assert (answer.status_code, answer.json()["code"]) == (409, "session_ended")


@pytest.mark.parametrize("token", ["4242424242424242", "4242-4242-4242-4242"])
def test_S12_a_card_number_is_refused_without_echo_and_kept_nowhere(
    harness: PaymentHarness, client: ServiceClient, token: str
) -> None:
    opened(harness)

    answer = client.call("POST", f"/payment/{CLERK}", SECRET, {"token": token})

    assert (answer.status_code, answer.json()["code"]) == (422, "card_number_refused")
    assert "4242" not in answer.text
    assert harness.payment().token is None


@pytest.mark.parametrize("body", [{}, {"token": ""}, {"token": 1}, {"token": "a b"}, {"token": "tok_ok", "amount": 1}])
def test_a_wrong_body_is_422(harness: PaymentHarness, client: ServiceClient, body: dict[str, Any]) -> None:
    opened(harness)

    answer = client.call("POST", f"/payment/{CLERK}", SECRET, body)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


def notify(client: ServiceClient, notice: dict[str, Any], secret: str = SIGNING, at: int = START) -> httpx.Response:
    body = json.dumps(notice).encode()
    headers = {"Content-Type": "application/json", "Provider-Signature": sign(secret, body, at)}
    return client.call("POST", "/payment/provider-events", headers=headers, content=body)


AUTHORISED = {
    "id": "evt_1",
    "type": "payment.authorized",
    "key": f"{CLERK}/payment/authorize/1",
    "card": {"brand": "visa", "last4": "4242"},
}


def test_a_signed_notice_is_an_answer_and_its_replay_the_same(harness: PaymentHarness, client: ServiceClient) -> None:
    opened(harness, token="tok_slow")

    first, again = notify(client, AUTHORISED), notify(client, AUTHORISED)

    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json()
    assert [reply.outcome for reply in harness.replies()] == ["done"]
    assert harness.payment().status == "authorized"


def test_a_notice_without_a_good_signature_is_401(harness: PaymentHarness, client: ServiceClient) -> None:
    opened(harness, token="tok_slow")

    wrong = notify(client, AUTHORISED, secret="guessed")
    old = notify(client, AUTHORISED, at=START - 301_000)
    bare = client.call("POST", "/payment/provider-events", json=AUTHORISED)

    assert [each.status_code for each in (wrong, old, bare)] == [401, 401, 401]
    assert harness.payment().status == "authorizing"


def test_a_notice_of_another_shape_is_422(client: ServiceClient) -> None:
    assert notify(client, {"id": "evt_1", "type": "payment.gone", "key": "x"}).status_code == 422
