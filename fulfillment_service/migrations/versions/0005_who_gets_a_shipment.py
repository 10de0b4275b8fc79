"""Who gets a shipment, and where: kept when the warehouse is asked to ship it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "fulfillment_0005"
down_revision = "fulfillment_0004"


def upgrade() -> None:
    op.add_column("shipments", sa.Column("name", sa.Text(), nullable=True))
    op.add_column("shipments", sa.Column("shipping_address", sa.Text(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("shipments") as batch:
        batch.drop_column("shipping_address")
        batch.drop_column("name")
