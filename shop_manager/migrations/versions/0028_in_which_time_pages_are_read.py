"""In which time each operator reads the pages."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "shop_manager_0028"
down_revision = "shop_manager_0022"


def upgrade() -> None:
    op.create_table(
        "clocks",
        sa.Column("operator", sa.String(length=128), nullable=False),
        sa.Column("clock", sa.String(length=8), nullable=False),
        sa.PrimaryKeyConstraint("operator"),
    )


def downgrade() -> None:
    op.drop_table("clocks")
