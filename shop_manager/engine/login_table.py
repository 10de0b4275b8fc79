"""The tables of operators' logins: only the hash of the token in the cookie is kept (security S8)."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, MetaData, String, Table, Text


def login_table(metadata: MetaData) -> Table:
    """Puts `logins` into the metadata. Times are ms; `key_id` changes with new credentials, and is empty where an
    OpenID `provider` vouches.
    """
    return Table(
        "logins",
        metadata,
        Column("hash", String(64), primary_key=True),
        Column("operator", String(128), nullable=False, index=True),
        Column("role", String(16), nullable=False),
        Column("key_id", String(12), nullable=False),
        Column("began_at", BigInteger, nullable=False, index=True),
        Column("seen_at", BigInteger, nullable=False),
        Column("provider", String(64)),
    )


def provider_logins_table(metadata: MetaData) -> Table:
    """Puts `provider_logins` into the metadata: logins at an OpenID provider that are not back yet, each used once.

    `hash` is that of the browser's cookie, `act` what was sent and not done (not_yet.py). Times are ms.
    """
    return Table(
        "provider_logins",
        metadata,
        Column("hash", String(64), primary_key=True),
        Column("state", String(64), nullable=False),
        Column("nonce", String(64), nullable=False),
        Column("verifier", String(128), nullable=False),
        Column("return_path", Text, nullable=False),
        Column("began_at", BigInteger, nullable=False, index=True),
        Column("act", Text),
    )
