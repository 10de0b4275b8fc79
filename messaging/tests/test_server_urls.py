"""No secret is shown, wherever in a URL it stands; a URL that has two readings is refused (security S16)."""

from __future__ import annotations

from urllib.parse import quote

import pika
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from sqlalchemy import make_url

from messaging.database import BadDatabaseUrl, check_url
from messaging.rabbitmq.url import check_amqp_url, place
from messaging.server_urls import Account, UnclearAccount, account_of, check_account, mask, mask_url, with_password

NASTY = "p@ss/w:rd%41?#"
PASSWORDS = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), min_size=4, max_size=40)
SCHEMES = st.sampled_from(["amqp", "amqps", "postgresql", "postgres", "http", "mysql", "sqlite"])

OUR_WORDS = (
    "database broker URL where its password ends cannot be told: in user and password each @ / ? # % [ ] \\ "
    "must be percent-encoded (%40 is an @) cannot be read (host or port): allowed are sqlite:///FILE and "
    "postgresql://… allowed is amqp://USER:PASSWORD@HOST:PORT/VHOST or amqps://… "
    "'mysql://clerk:***@rabbit.example:5672/shop' "
    "'sqlite://clerk:***@rabbit.example:5672/shop': a file has no host and no user"
)
"""A password that is made by chance may have some of these words in it."""


def shown_parts(password: str, text: str) -> list[str]:
    """The parts of four characters or more of a password that are in a text."""
    return [password[at : at + 4] for at in range(len(password) - 3) if password[at : at + 4] in text]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://clerk:hush@db:5432/{service}", "postgresql://clerk:***@db:5432/{service}"),
        ("amqp://clerk:hush@rabbit:5672/%2F?heartbeat=5", "amqp://clerk:***@rabbit:5672/%2F?heartbeat=5"),
        ("amqp://clerk:p@hush@rabbit/", "amqp://clerk:***@rabbit/"),
        ("postgresql://db/x?user=a&password=hush", "postgresql://db/x?user=a&password=***"),
        ("postgresql://db/x?user=a&p%61ssword=hush", "postgresql://db/x?user=a&p%61ssword=***"),
        ("postgresql://db/x?user=a&password=hu@sh", "postgresql://***"),
        ("postgresql://db:5432/x?password=hu@sh", "postgresql://***"),
        ("postgresql://db/x?sslpassword=hush&sslmode=require", "postgresql://db/x?sslpassword=***&sslmode=require"),
        ("sqlite:///.clerk/{service}.db", "sqlite:///.clerk/{service}.db"),
        ("amqp://127.0.0.1:5672/", "amqp://127.0.0.1:5672/"),
        ("amqp://[::1]:5672/x", "amqp://[::1]:5672/x"),
        ("amqp://[broken:hush@", "amqp://[broken:***@"),
        ("amqp://clerk:hush/hush?hush@rabbit/", "amqp://clerk:***@rabbit/"),
        ("postgresql://clerk:hush", "postgresql://clerk:***"),
        ("postgresql://clerk:hush/hush", "postgresql://clerk:***"),
    ],
)
def test_S16_a_url_is_shown_without_its_password(url: str, shown: str) -> None:
    assert mask(url, secret=True) == shown
    assert mask(url, secret=False) == shown


def test_any_other_secret_is_not_shown_at_all() -> None:
    assert mask("hush", secret=True) == "***"


def test_that_a_secret_is_not_set_may_be_seen() -> None:
    assert mask("", secret=True) == ""


def test_what_is_no_secret_is_shown() -> None:
    assert mask("127.0.0.1", secret=False) == "127.0.0.1"


@given(PASSWORDS, SCHEMES, st.booleans())
@example(NASTY, "postgresql", False)
@example(NASTY, "amqp", True)
@example("a?token=b/c@d", "postgresql", False)
def test_S16_no_part_of_a_password_survives_in_a_url_that_is_shown(password: str, scheme: str, encoded: bool) -> None:
    written = quote(password, safe="") if encoded else password
    rest = "rabbit.example:5672/shop?heartbeat=5"
    assume(not shown_parts(password, f"{scheme}://clerk:***@{rest}"))
    assume(not shown_parts(written, f"{scheme}://clerk:***@{rest}"))
    text = mask_url(f"{scheme}://clerk:{written}@{rest}")
    assert shown_parts(password, text) == shown_parts(written, text) == []


@given(PASSWORDS, SCHEMES, st.booleans())
@example(NASTY, "postgresql", False)
@example(NASTY, "amqp", False)
@example("12345/678", "amqp", False)
def test_S16_no_part_of_a_password_is_in_what_is_said_of_a_url_that_cannot_be_used(
    password: str, scheme: str, encoded: bool
) -> None:
    written = quote(password, safe="") if encoded else password
    url = f"{scheme}://clerk:{written}@rabbit.example:5672/shop"
    for check in (check_url, check_amqp_url):
        try:
            check(url)
        except ValueError as refused:  # BadDatabaseUrl is one
            text = str(refused)
        else:
            text = place(url) if scheme.startswith("amqp") else ""
        assume(not shown_parts(password, OUR_WORDS) and not shown_parts(written, OUR_WORDS))
        assert shown_parts(password, text) == shown_parts(written, text) == []


@pytest.mark.parametrize("wrong", ["@", "/", "?", "#", "[", "]", "\\", "\t", "%", "%4-", "%zz"])
def test_an_account_that_ends_elsewhere_for_every_reader_is_refused(wrong: str) -> None:
    for url in (f"amqp://clerk:a{wrong}b@rabbit/", f"amqp://cl{wrong}erk:ab@rabbit/"):
        with pytest.raises(UnclearAccount):
            check_account(url)
        with pytest.raises(ValueError, match="broker URL: where its password ends cannot be told"):
            check_amqp_url(url)
        with pytest.raises(BadDatabaseUrl, match="database URL: where its password ends cannot be told"):
            check_url(url.replace("amqp", "postgresql"))


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("postgresql://clerk:hush", "cannot be read"),
        ("postgresql://clerk:hush/hush", "cannot be read"),
        ("mysql://clerk:hush@db/x?password=hush", "'mysql://clerk:***@db/x?password=***'"),
        ("sqlite://clerk:hush@db/x", "'sqlite://clerk:***@db/x': a file has no host and no user"),
    ],
)
def test_a_database_url_that_is_none_is_told_without_its_password(url: str, says: str) -> None:
    with pytest.raises(BadDatabaseUrl) as refused:
        check_url(url)
    assert says in str(refused.value)
    assert "hush" not in str(refused.value)


@given(PASSWORDS)
@example(NASTY)
@example("{service}")
@example("+ +")
def test_a_password_that_is_put_in_is_read_by_every_library_as_it_was(password: str) -> None:
    database = with_password("postgresql://clerk@db:5432/{service}?sslmode=require", password)
    broker = with_password("amqp://clerk@rabbit:5672/shop?heartbeat=5", password)
    parsed = make_url(check_url(database.replace("{service}", "risk")))
    assert (parsed.username, parsed.password, parsed.host, parsed.database) == ("clerk", password, "db", "risk")
    assert dict(parsed.query) == {"sslmode": "require"}
    parameters = pika.URLParameters(check_amqp_url(broker))
    assert (parameters.credentials.username, parameters.credentials.password) == ("clerk", password)
    assert (parameters.host, parameters.port, parameters.virtual_host) == ("rabbit", 5672, "shop")
    assert account_of(database) == account_of(broker) == Account("clerk", password)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("postgresql://db/x", "names no user"),
        ("postgresql://:@db/x", "names no user"),
        ("postgresql://db/x?user=clerk", "names no user"),
        ("nonsense", "names no user"),
        ("postgresql://clerk:hush@db/x", "a password already"),
        ("postgresql://clerk@db/x?password=hush", "a password already"),
        ("postgresql://cl/erk@db/x", "must be percent-encoded"),
    ],
)
def test_a_password_is_put_only_where_it_has_a_place(url: str, says: str) -> None:
    with pytest.raises(ValueError, match=says) as refused:
        with_password(url, "new")
    assert "hush" not in str(refused.value)


def test_an_account_is_found_in_the_query_too() -> None:
    assert account_of("postgresql://db/x?user=a&password=b%2Fc") == Account("a", "b/c")
    assert account_of("amqp://rabbit/") == Account(None, None)
    assert account_of("sqlite:///x.db") == Account(None, None)
