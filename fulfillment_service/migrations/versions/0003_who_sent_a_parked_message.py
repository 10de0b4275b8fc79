"""Who sent a parked message, and whether it is there because that user may not say it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "fulfillment_0003"
down_revision = "fulfillment_0002"


def upgrade() -> None:
    op.add_column("parked", sa.Column("sender", sa.String(length=255), nullable=True))
    op.add_column("parked", sa.Column("forged", sa.Integer(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("parked") as batch:
        batch.drop_column("forged")
        batch.drop_column("sender")
