"""The warehouse's lists go by the moment at which a shipment came to its status; stock is adjusted under a reference.

A shipment that was released or delivered before has the moment 0: it stands first, and in the order of the sessions.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "fulfillment_0004"
down_revision = "fulfillment_0003"

LISTS = {"requested": "asked_at", "shipped": "shipped_at", "released": "ended_at", "delivered": "ended_at"}


def upgrade() -> None:
    op.add_column("shipments", sa.Column("ended_at", sa.BigInteger(), nullable=False, server_default="0"))
    for status, moment in LISTS.items():
        of_it = sa.text(f"status = '{status}'")
        op.create_index(
            f"ix_shipments_{status}", "shipments", [moment, "session"], sqlite_where=of_it, postgresql_where=of_it
        )
    op.drop_index("ix_shipments_status_session", table_name="shipments")
    op.create_table(
        "stock_adjustments",
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("reference", sa.String(length=128), nullable=False),
        sa.Column("delta", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("adjusted_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sku", "reference"),
    )


def downgrade() -> None:
    op.drop_table("stock_adjustments")
    op.create_index("ix_shipments_status_session", "shipments", ["status", "session"])
    for status in LISTS:
        op.drop_index(f"ix_shipments_{status}", table_name="shipments")
    with op.batch_alter_table("shipments") as batch:
        batch.drop_column("ended_at")
