"""Messages that wait to be sent are packed in less time (docs/decisions/155)."""

from __future__ import annotations

from messaging.storage import pack_as_ever, pack_with_lz4

revision = "risk_0005"
down_revision = "risk_0004"


def upgrade() -> None:
    pack_with_lz4("outbox", "body")


def downgrade() -> None:
    pack_as_ever("outbox", "body")
