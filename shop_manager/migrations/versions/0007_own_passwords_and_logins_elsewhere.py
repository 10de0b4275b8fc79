"""Own passwords, and logins at an OpenID provider."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "shop_manager_0007"
down_revision = "shop_manager_0006"


def upgrade() -> None:
    op.create_table(
        "first_passwords",
        sa.Column("operator", sa.String(length=128), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("operator"),
    )
    op.create_table(
        "provider_logins",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("nonce", sa.String(length=64), nullable=False),
        sa.Column("verifier", sa.String(length=128), nullable=False),
        sa.Column("return_path", sa.Text(), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("hash"),
    )
    op.create_index("ix_provider_logins_began_at", "provider_logins", ["began_at"], unique=False)
    op.add_column("audit", sa.Column("who_key", sa.String(length=128), nullable=True))
    op.create_index("audit_who_key", "audit", ["who_key", "number"], unique=False)
    op.add_column("logins", sa.Column("provider", sa.String(length=64), nullable=True))


def downgrade() -> None:
    op.drop_column("logins", "provider")
    op.drop_index("audit_who_key", table_name="audit")
    op.drop_column("audit", "who_key")
    op.drop_index("ix_provider_logins_began_at", table_name="provider_logins")
    op.drop_table("provider_logins")
    op.drop_table("first_passwords")
