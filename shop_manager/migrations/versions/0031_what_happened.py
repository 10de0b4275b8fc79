"""What happened, line by line, which versions were seen, and how long steps take by the hour.

What is stuck and what operators did are entered at once.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "shop_manager_0031"
down_revision = "shop_manager_0028"

FILTERED = ("service", "step", "cause", "code", "who_key", "process")


def upgrade() -> None:
    op.create_table(
        "activity",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("what", sa.String(length=32), nullable=False),
        sa.Column("clerk", sa.String(length=128), nullable=True),
        sa.Column("process", sa.String(length=64), nullable=True),
        sa.Column("step", sa.String(length=128), nullable=True),
        sa.Column("service", sa.String(length=64), nullable=True),
        sa.Column("cause", sa.String(length=32), nullable=True),
        sa.Column("code", sa.String(length=128), nullable=True),
        sa.Column("who", sa.String(length=128), nullable=True),
        sa.Column("who_key", sa.String(length=128), nullable=True),
        sa.Column("target", sa.String(length=200), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=True),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("entry", sa.String(length=80), nullable=True),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("entry"),
    )
    op.create_index("activity_at", "activity", ["at", "number"])
    op.create_index("activity_kind", "activity", ["kind", "at", "number"])
    for name in FILTERED:
        known = sa.text(f"{name} IS NOT NULL")
        columns = [name, "at", "number"]
        op.create_index(f"activity_{name}", "activity", columns, sqlite_where=known, postgresql_where=known)
    op.create_table(
        "versions",
        sa.Column("part", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("part", "version"),
    )
    op.create_index("parked_last", "parked", ["last_at"])
    op.create_table(
        "step_hours",
        sa.Column("hour", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("process", sa.String(length=64), nullable=False),
        sa.Column("step", sa.String(length=128), nullable=False),
        sa.Column("turn", sa.String(length=16), nullable=False),
        sa.Column("bucket", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("hour", "process", "step", "turn", "bucket"),
        sqlite_with_rowid=False,
    )
    _enter_what_is_known()


def _enter_what_is_known() -> None:
    op.execute(
        "INSERT INTO activity (at, kind, what, clerk, process, step, cause, code, detail, count) "
        "SELECT stuck_since, 'stuck', stuck_kind, id, process, step, stuck_kind, stuck_code, '', 1 "
        "FROM clerks WHERE stuck_kind IS NOT NULL ORDER BY stuck_since"
    )
    op.execute(
        "INSERT INTO activity (at, kind, what, clerk, who, who_key, target, detail, count) "
        "SELECT at, CASE WHEN action IN ('replay', 'discard') THEN 'parked' ELSE 'act' END, "
        "CASE action WHEN 'replay' THEN 'replayed' WHEN 'discard' THEN 'discarded' ELSE action END, "
        "CASE WHEN target LIKE 'clerk:%' THEN substr(target, 7) END, who, who_key, target, reason, 1 "
        "FROM audit WHERE outcome = 'done' AND (bulk IS NULL OR action IN ('bulk_start', 'bulk_stop')) "
        "AND action NOT IN ('login', 'logout', 'password', 'bulk_preview') ORDER BY number"
    )


def downgrade() -> None:
    op.drop_table("step_hours")
    op.drop_index("parked_last", "parked")
    op.drop_table("versions")
    op.drop_table("activity")
