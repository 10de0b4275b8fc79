"""Who looks after a stuck Clerk, and until when it is put off."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "shop_manager_0030"
down_revision = "shop_manager_0029"


def upgrade() -> None:
    op.create_table(
        "claims",
        sa.Column("clerk", sa.String(length=128), nullable=False),
        sa.Column("stuck_since", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.String(length=128), nullable=False),
        sa.Column("who_key", sa.String(length=128), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("snoozed_until", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("clerk"),
    )
    op.create_index("ix_claims_who_key", "claims", ["who_key"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_claims_who_key", table_name="claims")
    op.drop_table("claims")
