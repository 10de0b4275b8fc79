"""No secret is shown, wherever in a setting it stands (security S16)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clerk_cli.secrets_hidden import mask


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://clerk:hush@db:5432/{service}", "postgresql://clerk:***@db:5432/{service}"),
        ("amqp://clerk:hush@rabbit:5672/%2F?heartbeat=5", "amqp://clerk:***@rabbit:5672/%2F?heartbeat=5"),
        ("amqp://clerk:p@hush@rabbit/", "amqp://clerk:***@rabbit/"),
        ("postgresql://db/x?user=a&password=hush", "postgresql://db/x?user=a&password=***"),
        ("postgresql://db/x?sslpassword=hush&sslmode=require", "postgresql://db/x?sslpassword=***&sslmode=require"),
        ("sqlite:///.clerk/{service}.db", "sqlite:///.clerk/{service}.db"),
        ("amqp://127.0.0.1:5672/", "amqp://127.0.0.1:5672/"),
        ("amqp://[broken:hush@", "amqp://[broken:***@"),
        ("amqp://clerk:hush/hush?hush@rabbit/", "amqp://clerk:***@rabbit/"),
    ],
)
def test_a_url_is_shown_without_its_password(url: str, shown: str) -> None:
    assert mask(url, secret=True) == shown
    assert mask(url, secret=False) == shown


def test_any_other_secret_is_not_shown_at_all() -> None:
    assert mask("hush", secret=True) == "***"


def test_that_a_secret_is_not_set_may_be_seen() -> None:
    assert mask("", secret=True) == ""


def test_what_is_no_secret_is_shown() -> None:
    assert mask("127.0.0.1", secret=False) == "127.0.0.1"


@given(
    st.text(alphabet=st.characters(codec="ascii", categories=["L", "N", "P"]), min_size=6).map(lambda text: f"Q{text}Q")
)
def test_no_password_survives_in_a_url(password: str) -> None:
    assert password not in mask(f"amqp://clerk:{password}@host/", secret=True)
