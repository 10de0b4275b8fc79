"""Whether a saved view is shared with all."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "shop_manager_0029"
down_revision = "shop_manager_0031"


def upgrade() -> None:
    op.add_column("views", sa.Column("shared", sa.Integer(), server_default="0", nullable=False))
    op.create_index("ix_views_shared", "views", ["shared"])


def downgrade() -> None:
    op.drop_index("ix_views_shared", "views")
    op.drop_column("views", "shared")
