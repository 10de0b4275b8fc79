"""For a service or a cause: a link to what to do, and who is responsible."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "shop_manager_0027"
down_revision = "shop_manager_0021"


def upgrade() -> None:
    op.create_table(
        "runbooks",
        sa.Column("service", sa.String(length=64), nullable=False),
        sa.Column("process", sa.String(length=200), nullable=False),
        sa.Column("step", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=200), nullable=False),
        sa.Column("code", sa.String(length=200), nullable=False),
        sa.Column("link", sa.Text(), nullable=True),
        sa.Column("responsible", sa.Text(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("service", "process", "step", "kind", "code"),
    )


def downgrade() -> None:
    op.drop_table("runbooks")
