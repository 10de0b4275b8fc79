"""Messages that wait to be sent are packed in less time (docs/decisions/155)."""

from __future__ import annotations

from messaging.storage import pack_as_ever, pack_with_lz4

revision = "fulfillment_0006"
down_revision = "fulfillment_0005"


def upgrade() -> None:
    pack_with_lz4("outbox", "body")


def downgrade() -> None:
    pack_as_ever("outbox", "body")
