"""By which terms Clerks and customers are found, and how far those that exist were entered."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "shop_manager_0024"
down_revision = "shop_manager_0026"


def upgrade() -> None:
    collation = "C" if op.get_bind().dialect.name == "postgresql" else None
    op.create_table(
        "search_terms",
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("term", sa.String(length=80, collation=collation), nullable=False),
        sa.Column("rank", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("target", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("kind", "term", "rank", "target"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "search_fill",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("secret", sa.String(length=64), nullable=False),
        sa.Column("customer", sa.String(length=128), nullable=True),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("clerk", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def downgrade() -> None:
    op.drop_table("search_fill")
    op.drop_table("search_terms")
