"""Logins of operators at the dashboard."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "shop_manager_0002"
down_revision = "shop_manager_0001"


def upgrade() -> None:
    op.create_table(
        "logins",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("operator", sa.String(length=128), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("key_id", sa.String(length=12), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("hash"),
    )
    op.create_index("ix_logins_began_at", "logins", ["began_at"], unique=False)
    op.create_index("ix_logins_operator", "logins", ["operator"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_logins_operator", table_name="logins")
    op.drop_index("ix_logins_began_at", table_name="logins")
    op.drop_table("logins")
