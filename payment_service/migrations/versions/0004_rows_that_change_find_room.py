"""Turns and payments change in place, the index of calls has open ones only, messages are packed in less time (155)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from messaging.storage import leave_room, pack_as_ever, pack_with_lz4

revision = "payment_0004"
down_revision = "payment_0003"
_OPEN = sa.text("next_try_at IS NOT NULL")


def upgrade() -> None:
    pack_with_lz4("outbox", "body")
    leave_room("turns", 80)
    leave_room("payments", 60)
    op.drop_index("ix_provider_calls_next_try_at", "provider_calls")
    op.create_index(
        "ix_provider_calls_next_try_at", "provider_calls", ["next_try_at"], sqlite_where=_OPEN, postgresql_where=_OPEN
    )


def downgrade() -> None:
    op.drop_index("ix_provider_calls_next_try_at", "provider_calls")
    op.create_index("ix_provider_calls_next_try_at", "provider_calls", ["next_try_at"])
    leave_room("payments", None)
    leave_room("turns", None)
    pack_as_ever("outbox", "body")
