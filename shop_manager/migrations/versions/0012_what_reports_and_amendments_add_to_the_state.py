"""What reports and amendments add to a Clerk's state, beside what older versions read and write."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "shop_manager_0012"
down_revision = "shop_manager_0009"


def upgrade() -> None:
    op.add_column("clerks", sa.Column("state_more", sa.Text(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("clerks") as batch:
        batch.drop_column("state_more")
