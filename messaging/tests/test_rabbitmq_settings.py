"""URLs, topology and back-off of the RabbitMQ transport, without a broker."""

from __future__ import annotations

import ssl
from urllib.parse import urlencode

import certifi
import pytest

from messaging.broker import DEAD_LETTER_QUEUE
from messaging.rabbitmq.backoff import pause
from messaging.rabbitmq.errors import explain
from messaging.rabbitmq.topology import QUEUES
from messaging.rabbitmq.transport import RabbitTransport, check_amqp_url
from messaging.rabbitmq.url import place

CERTIFI = certifi.where()


@pytest.mark.parametrize(
    "url", ["amqp://localhost", "amqps://u:p@host:5671/%2F", "amqp://u:p@[::1]:5672/shop?heartbeat=5"]
)
def test_a_good_url_is_taken_as_it_is(url: str) -> None:
    assert check_amqp_url(url) == url


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("", "names no protocol: allowed is"),
        ("sesame", "names no protocol: allowed is"),
        ("http://u:sesame@host/", "http://host"),
        ("u:sesame@host", "allowed is"),
        ("amqp:/u:sesame@host", "no host"),
        ("amqp://u:sesame@:5672/", "no host"),
        ("amqp://u:sesame@host:port/", "host or port"),
        ("amqp://u:sesame@host:99999/", "host or port"),
        ("amqp://u:sesame@host:0/", "port 0"),
        ("amqp://sesame@host/", "a user and a password"),
        ("amqp://u:sesame@host/?heartbeat=often", "query"),
        ("amqp://u:sesame@host/?ssl_options={'cafile':'/sesame'}", "query"),
        ("amqp://u:sesame@host/?open=1", "query"),
        ("amqp://u:sesame@host/?cacertfile=x", "cacertfile is for amqps:// only"),
        ("amqps://u:sesame@host/?keyfile=x", "keyfile needs a certfile"),
        ("amqps://u:sesame@host/?cacertfile=/no/such/sesame", "cacertfile cannot be used: no such file"),
        (f"amqps://u:sesame@host/?cacertfile={__file__}", "cacertfile cannot be used: not in PEM format"),
        (f"amqps://u:sesame@host/?certfile={__file__}", "certfile or keyfile cannot be used: not in PEM format"),
    ],
)
def test_a_wrong_url_is_one_clear_line_without_the_password(url: str, word: str) -> None:
    with pytest.raises(ValueError, match="broker URL") as refused:
        RabbitTransport(url, consumes=None, name="test")
    line = str(refused.value)
    assert word in line
    assert "\n" not in line
    assert "sesame" not in line


@pytest.mark.parametrize(
    "options",
    [
        {"ca_certs": CERTIFI, "protocol": int(ssl.PROTOCOL_TLS_CLIENT)},
        {"ca_certs": CERTIFI},
    ],
)
def test_S15_pikas_own_options_are_taken_while_they_check_the_broker(options: dict[str, object]) -> None:
    RabbitTransport(f"amqps://u:p@host/?{urlencode({'ssl_options': str(options)})}", consumes=None, name="test")


def test_S15_options_with_which_anybody_may_be_the_broker_are_refused() -> None:
    options = {"ca_certs": CERTIFI, "protocol": int(ssl.PROTOCOL_TLSv1_2)}
    with (
        pytest.raises(ValueError, match="would let anybody be the broker"),
        pytest.warns(DeprecationWarning, match="TLSv1_2"),
    ):
        RabbitTransport(f"amqps://u:p@host/?{urlencode({'ssl_options': str(options)})}", consumes=None, name="test")


def test_a_place_is_shown_without_user_and_password() -> None:
    assert place("amqps://u:sesame@host/shop?heartbeat=5") == "host:5671/shop"


def test_the_dead_letter_queue_is_declared_first() -> None:
    assert QUEUES[0].name == DEAD_LETTER_QUEUE


def test_every_queue_is_a_quorum_queue_with_a_delivery_limit_of_its_own() -> None:
    assert all(queue.arguments["x-queue-type"] == "quorum" for queue in QUEUES)
    assert all("x-delivery-limit" in queue.arguments for queue in QUEUES)


def test_no_dead_letter_is_lost_on_its_way() -> None:
    for queue in QUEUES[1:]:
        assert queue.arguments["x-dead-letter-exchange"] == "clerk.dead"
        assert queue.arguments["x-dead-letter-strategy"] == "at-least-once"
        assert queue.arguments["x-overflow"] == "reject-publish"
        assert queue.arguments["x-delivery-limit"] == 200


def test_pauses_double_up_to_ten_seconds_and_are_jittered_down_to_a_half() -> None:
    assert [pause(failures, 1.0) for failures in (1, 2, 3)] == [0.2, 0.4, 0.8]
    assert pause(1000, 1.0) == 3.0
    assert pause(1, 0.0) == 0.1
    assert pause(1, 1.0, slow=True) == 10.0


def test_an_error_is_told_in_one_bounded_line() -> None:
    wrapped = RuntimeError(RuntimeError(ConnectionRefusedError(111, "Connection refused")))
    assert explain(wrapped) == "connection refused"
    assert explain(ValueError("two\nlines" + "x" * 1000)).startswith("ValueError: two linesxxx")
    assert len(explain(ValueError("x" * 1000))) == 300
