"""The tables of ShopManager's database: Clerks and their history, what opening a session needs, and the operators'."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Computed, Index, Integer, MetaData, String, Table, Text, and_, or_

from http_api.keys import key_tables
from http_api.operator_notes import first_passwords_table, long_logins_table
from messaging.technical_tables import technical_tables
from shop_manager.engine.activity_table import activity_tables
from shop_manager.engine.alert_tables import alert_tables
from shop_manager.engine.login_table import login_table, provider_logins_table
from shop_manager.engine.operations_tables import operations_tables
from shop_manager.engine.search_table import search_tables

metadata = MetaData()
technical = technical_tables(metadata)
Index("parked_last", technical.parked.c.last_at)  # ShopManager tells what was parked lately
key_tables(metadata)
first_passwords_table(metadata)
long_logins_table(metadata)
operations_schema = operations_tables(metadata)
alert_schema = alert_tables(metadata)
activity_schema = activity_tables(metadata)
search_schema = search_tables(metadata)
login_table(metadata)
provider_logins_table(metadata)
clerks = Table(
    "clerks",
    metadata,
    Column("id", String(128), primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("seen_revision", BigInteger, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("status", String(16), nullable=False),
    Column("process", String(64), nullable=False),
    Column("digest", String(16), nullable=False),
    Column("shop", String(128), nullable=False),
    Column("customer", String(128)),
    Column("client_reference", String(200)),
    Column("currency", String(3), nullable=False),
    Column("total", BigInteger),
    Column("step", String(128)),
    Column("waiting_for", String(16)),
    Column("stuck_kind", String(32)),
    Column("stuck_code", String(128)),
    Column("stuck_since", BigInteger),
    Column("opened_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("wake_at", BigInteger),
    Column("state", Text, nullable=False),
    Column("document", Text, nullable=False),
    Column("state_more", Text),
    Column("ended_at", BigInteger, Computed("nullif(updated_at, updated_at + 0 * wake_at)", persisted=True)),
)
# No column of an index changes from one turn of a live Clerk to the next: PostgreSQL then leaves the indexes alone
# (docs/decisions/099). `ended_at` is `updated_at` where there is no `wake_at`, and a live Clerk has one.
_LIVE = clerks.c.wake_at.isnot(None)
Index("clerks_wake", clerks.c.wake_at, sqlite_where=_LIVE, postgresql_where=_LIVE)
_ENDED = clerks.c.ended_at.isnot(None)
Index("clerks_ended", clerks.c.ended_at, sqlite_where=_ENDED, postgresql_where=_ENDED)
_STUCK = clerks.c.stuck_kind.isnot(None)
Index("clerks_stuck", clerks.c.stuck_since, sqlite_where=_STUCK, postgresql_where=_STUCK)
# Without this one a planner walks through all ended Clerks, by when they were opened, to find the few that are stuck.
Index("clerks_stuck_opened", clerks.c.opened_at, clerks.c.id, sqlite_where=_STUCK, postgresql_where=_STUCK)
Index("clerks_opened", clerks.c.opened_at, clerks.c.id)
_KNOWN = clerks.c.customer.isnot(None)
Index("clerks_customer", clerks.c.customer, clerks.c.opened_at, sqlite_where=_KNOWN, postgresql_where=_KNOWN)
Index("clerks_status", clerks.c.status, clerks.c.opened_at)
_NAMED = clerks.c.client_reference.isnot(None)
Index(
    "clerks_reference",
    clerks.c.client_reference,
    clerks.c.opened_at,
    sqlite_where=_NAMED,
    postgresql_where=_NAMED,
)

_CLAIMS = operations_schema.claims
_HAS_MORE_TIME = and_(clerks.c.step == _CLAIMS.c.step, clerks.c.status == "running")
COUNTS = and_(clerks.c.id == _CLAIMS.c.clerk, or_(clerks.c.stuck_since == _CLAIMS.c.stuck_since, _HAS_MORE_TIME))
"""A claim of the time that its Clerk is stuck now, or of the step that has got more time: all others are over."""
history = Table(
    "history",
    metadata,
    Column("clerk", String(128), primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("what", String(32), nullable=False),
    Column("step", String(128)),
    Column("data", Text, nullable=False),
)
ignored = Table(
    "ignored",
    metadata,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("clerk", String(128), nullable=False, index=True),
    Column("at", BigInteger, nullable=False),
    Column("message", String(512), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("reason", Text, nullable=False),
)
heartbeat = Table(
    "heartbeat",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("last_at", BigInteger, nullable=False),
    Column("outages", Text, nullable=False),
)
customers = Table(
    "customers",
    metadata,
    Column("id", String(128), primary_key=True),
    Column("name", Text, nullable=False),
    Column("email", Text),
    Column("type", String(16), nullable=False),
)
shops = Table(
    "shops",
    metadata,
    Column("id", String(128), primary_key=True),
    Column("name", Text, nullable=False),
    Column("type", String(16), nullable=False),
    Column("allows_invoice", Integer, nullable=False),
    Column("currency", String(3), nullable=False),
)
idempotency = Table(
    "idempotency",
    metadata,
    Column("scope", String(64), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("body", String(64), nullable=False),
    Column("clerk", String(128), nullable=False),
    Column("answer", Text, nullable=False),
    Column("at", BigInteger, nullable=False, index=True),
)
guest_sessions = Table(  # sessions opened without an access key, for an hour or as long as they may still be ordered
    "guest_sessions",
    metadata,
    Column("clerk", String(128), primary_key=True),
    Column("address", String(64), nullable=False),
    Column("network", String(64), nullable=False),
    Column("opened_at", BigInteger, nullable=False),
    Column("live_until", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
)
# Each has all columns that the counts for its first one need, so that no row is read.
Index("guest_sessions_address", guest_sessions.c.address, guest_sessions.c.live_until)
Index(
    "guest_sessions_network",
    guest_sessions.c.network,
    guest_sessions.c.opened_at,
    guest_sessions.c.live_until,
    guest_sessions.c.size,
)
Index("guest_sessions_opened", guest_sessions.c.opened_at, guest_sessions.c.size)
event_tickets = Table(  # with which browsers open event streams, until they are used, or a minute
    "event_tickets",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("clerk", String(128), nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("credential", String(64), nullable=False),
    Column("expires_at", BigInteger, nullable=False, index=True),
)
master_secrets = Table(
    "master_secrets",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)
