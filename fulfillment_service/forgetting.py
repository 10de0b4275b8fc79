"""Takes name and address out of shipments whose order has ended, for `clerk forget-customer` (docs/decisions/145)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import or_, update

from fulfillment_service.store import shipments
from messaging.database import Tx
from messaging.statements import KEYS

_HAS_SOMEBODY = or_(shipments.c.name.is_not(None), shipments.c.shipping_address.is_not(None))
_EMPTY = update(shipments).where(shipments.c.session.in_(KEYS), _HAS_SOMEBODY).values(name=None, shipping_address=None)


def forget_recipients(tx: Tx, sessions: Sequence[str]) -> int:
    """In how many of these shipments there was somebody. That they were shipped, and with which label, stays."""
    return tx.execute(_EMPTY, {"keys": list(sessions)}).rowcount
