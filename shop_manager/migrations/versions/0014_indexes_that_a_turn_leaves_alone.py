"""Indexes whose columns stay as they are while an order goes on, and room for its next version (docs/decisions/099)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "shop_manager_0014"
down_revision = "shop_manager_0018"


def upgrade() -> None:
    on_postgresql = op.get_bind().dialect.name == "postgresql"
    ended_at = sa.Computed("nullif(updated_at, updated_at + 0 * wake_at)", persisted=on_postgresql)
    op.add_column("clerks", sa.Column("ended_at", sa.BigInteger(), ended_at, nullable=True))
    _replace_index("clerks_ended", ["ended_at"], "ended_at IS NOT NULL")
    _replace_index("clerks_customer", ["customer", "opened_at"], "customer IS NOT NULL")
    if on_postgresql:
        op.execute("ALTER TABLE clerks SET (fillfactor = 70, toast_tuple_target = 4080)")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE clerks RESET (fillfactor, toast_tuple_target)")
    op.drop_index("clerks_customer", "clerks")
    op.create_index("clerks_customer", "clerks", ["customer", "opened_at"])
    _replace_index("clerks_ended", ["updated_at"], "wake_at IS NULL")
    op.drop_column("clerks", "ended_at")


def _replace_index(name: str, columns: list[str], where: str) -> None:
    op.drop_index(name, "clerks")
    op.create_index(name, "clerks", columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
