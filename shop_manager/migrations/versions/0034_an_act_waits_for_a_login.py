"""An act that was sent without a login, while its sender is at an OpenID provider."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "shop_manager_0034"
down_revision = "shop_manager_0033"


def upgrade() -> None:
    op.add_column("provider_logins", sa.Column("act", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("provider_logins", "act")
