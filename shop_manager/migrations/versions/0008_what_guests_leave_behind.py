"""What guests leave behind: the sessions that were opened without an access key, for as long as they are counted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "shop_manager_0008"
down_revision = "shop_manager_0007"


def upgrade() -> None:
    op.create_table(
        "guest_sessions",
        sa.Column("clerk", sa.String(length=128), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("network", sa.String(length=64), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("live_until", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("clerk"),
    )
    op.create_index("guest_sessions_address", "guest_sessions", ["address", "live_until"])
    op.create_index("guest_sessions_network", "guest_sessions", ["network", "opened_at", "live_until", "size"])
    op.create_index("guest_sessions_opened", "guest_sessions", ["opened_at", "size"])


def downgrade() -> None:
    op.drop_table("guest_sessions")
