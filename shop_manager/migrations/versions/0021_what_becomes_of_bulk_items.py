"""What becomes of the items of bulk acts, to the end, instead of what was asked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "shop_manager_0021"
down_revision = "shop_manager_0024"


def upgrade() -> None:
    op.add_column("bulks", sa.Column("follow_at", sa.BigInteger(), nullable=True))
    op.create_index(
        "bulks_follow",
        "bulks",
        ["follow_at"],
        unique=False,
        sqlite_where=sa.text("follow_at IS NOT NULL"),
        postgresql_where=sa.text("follow_at IS NOT NULL"),
    )
    op.add_column("bulk_items", sa.Column("asked", sa.Text(), nullable=True))
    op.execute("UPDATE bulk_items SET outcome = 'changed' WHERE outcome = 'skipped'")
    op.execute("UPDATE bulk_items SET outcome = 'not_allowed' WHERE outcome = 'refused'")


def downgrade() -> None:
    op.execute("UPDATE bulk_items SET outcome = 'refused' WHERE outcome = 'not_allowed'")
    op.execute("UPDATE bulk_items SET outcome = 'skipped' WHERE outcome = 'changed'")
    op.execute("UPDATE bulk_items SET outcome = 'done' WHERE outcome IN ('asked', 'healed', 'still_stuck')")
    op.execute("UPDATE bulks SET status = 'finished' WHERE status = 'following'")
    op.drop_column("bulk_items", "asked")
    op.drop_index("bulks_follow", table_name="bulks")
    op.drop_column("bulks", "follow_at")
