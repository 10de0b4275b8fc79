"""Lines of the audit that are part of a bulk act."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "shop_manager_0022"
down_revision = "shop_manager_0027"


def upgrade() -> None:
    op.add_column("audit", sa.Column("bulk", sa.String(length=40), nullable=True))
    op.create_index("audit_bulk", "audit", ["bulk", "number"], unique=False)


def downgrade() -> None:
    op.drop_index("audit_bulk", table_name="audit")
    op.drop_column("audit", "bulk")
