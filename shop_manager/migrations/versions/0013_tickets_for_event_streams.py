"""Tickets with which browsers open event streams, for the minute that each of them works."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "shop_manager_0013"
down_revision = "shop_manager_0012"


def upgrade() -> None:
    op.create_table(
        "event_tickets",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("clerk", sa.String(length=128), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("credential", sa.String(length=64), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("hash"),
    )
    op.create_index("ix_event_tickets_clerk", "event_tickets", ["clerk"])
    op.create_index("ix_event_tickets_expires_at", "event_tickets", ["expires_at"])


def downgrade() -> None:
    op.drop_table("event_tickets")
