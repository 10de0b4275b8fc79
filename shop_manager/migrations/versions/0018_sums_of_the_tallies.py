"""Sums of the tallies that only grow, for counters that outlive a restart."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "shop_manager_0018"
down_revision = "shop_manager_0013"


def upgrade() -> None:
    op.create_table(
        "totals",
        sa.Column("process", sa.String(length=64), nullable=False),
        sa.Column("what", sa.String(length=16), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("process", "what"),
    )


def downgrade() -> None:
    op.drop_table("totals")
