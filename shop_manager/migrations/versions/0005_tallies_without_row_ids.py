"""Tallies without row ids on SQLite. They are counted anew from the Clerks, an hour of them at each tick."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "shop_manager_0005"
down_revision = "shop_manager_0004"


def upgrade() -> None:
    _make_anew(sqlite_with_rowid=False)


def downgrade() -> None:
    _make_anew(sqlite_with_rowid=True)


def _make_anew(*, sqlite_with_rowid: bool) -> None:
    if op.get_bind().dialect.name != "sqlite":
        return
    op.drop_table("tallies")
    op.create_table(
        "tallies",
        sa.Column("minute", sa.BigInteger(), nullable=False),
        sa.Column("process", sa.String(length=64), nullable=False),
        sa.Column("what", sa.String(length=16), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("minute", "process", "what"),
        sqlite_with_rowid=sqlite_with_rowid,
    )
