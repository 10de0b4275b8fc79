"""Viewers who stay logged in for long."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "shop_manager_0023"
down_revision = "shop_manager_0014"


def upgrade() -> None:
    op.create_table(
        "long_logins",
        sa.Column("operator", sa.String(length=128), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("operator"),
    )


def downgrade() -> None:
    op.drop_table("long_logins")
