"""Each line of an order says whether it is shipped or downloaded; of older ones that is not known."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "shop_0005"
down_revision = "shop_0004"


def upgrade() -> None:
    op.add_column("order_items", sa.Column("kind", sa.String(length=8), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("order_items") as batch:
        batch.drop_column("kind")
