"""When an open cart was last reported to ShopManager, and when it is to be reported next."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "shop_0004"
down_revision = "shop_0003"


def upgrade() -> None:
    op.add_column("carts", sa.Column("reported_at", sa.BigInteger(), nullable=True))
    op.add_column("carts", sa.Column("report_due", sa.BigInteger(), nullable=True))
    due = sa.text("report_due IS NOT NULL")
    op.create_index("ix_carts_report_due", "carts", ["report_due"], sqlite_where=due, postgresql_where=due)


def downgrade() -> None:
    op.drop_index("ix_carts_report_due", "carts")
    with op.batch_alter_table("carts") as batch:
        batch.drop_column("report_due")
        batch.drop_column("reported_at")
