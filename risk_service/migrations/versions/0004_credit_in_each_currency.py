"""Credit in each currency. What was set and owed so far is in CLERK_RISK_CURRENCY; of what is held or settled it is not
known, and stays empty. Processes of the version before go on with `accounts`: its new column fills itself.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

revision = "risk_0004"
down_revision = "risk_0003"


class _Currency(BaseSettings):
    """As the service itself reads it."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore")

    code: str = Field(default="EUR", validation_alias="CLERK_RISK_CURRENCY", pattern=r"^[A-Z]{3}$")


def upgrade() -> None:
    known = sa.Column("currency", sa.String(length=3), nullable=False, server_default=_Currency().code)
    op.add_column("accounts", known)
    op.add_column("reservations", sa.Column("currency", sa.String(length=3), nullable=True))
    op.add_column("settlements", sa.Column("currency", sa.String(length=3), nullable=True))
    op.create_table(
        "more_accounts",
        sa.Column("customer", sa.String(length=200), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("credit_limit", sa.BigInteger(), nullable=False),
        sa.Column("outstanding", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("customer", "currency"),
    )


def downgrade() -> None:
    op.drop_table("more_accounts")
    for table in ("settlements", "reservations", "accounts"):
        with op.batch_alter_table(table) as batch:
            batch.drop_column("currency")
