"""Find the stuck ones by when they were opened, without walking through those that have ended."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "shop_manager_0004"
down_revision = "shop_manager_0003"


def upgrade() -> None:
    op.create_index(
        "clerks_stuck_opened",
        "clerks",
        ["opened_at", "id"],
        unique=False,
        sqlite_where=sa.text("stuck_kind IS NOT NULL"),
        postgresql_where=sa.text("stuck_kind IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("clerks_stuck_opened", table_name="clerks")
