"""Keys may expire, and say when they were used last. Both are empty for those there are, and for older processes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "shop_manager_0006"
down_revision = "shop_manager_0005"


def upgrade() -> None:
    op.add_column("access_keys", sa.Column("expires_at", sa.BigInteger(), nullable=True))
    op.add_column("access_keys", sa.Column("last_used_at", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("access_keys", "last_used_at")
    op.drop_column("access_keys", "expires_at")
