"""The step at which a claimed Clerk has got more time: until it is answered the claim stays."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "shop_manager_0033"
down_revision = "shop_manager_0032"


def upgrade() -> None:
    op.add_column("claims", sa.Column("step", sa.String(length=128), nullable=True))


def downgrade() -> None:
    op.drop_column("claims", "step")
