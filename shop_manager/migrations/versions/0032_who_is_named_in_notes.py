"""Who is named in which note, and when they have seen it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "shop_manager_0032"
down_revision = "shop_manager_0030"


def upgrade() -> None:
    op.create_table(
        "mentions",
        sa.Column("who_key", sa.String(length=128), nullable=False),
        sa.Column("clerk", sa.String(length=128), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("who_key", "clerk", "number"),
    )


def downgrade() -> None:
    op.drop_table("mentions")
