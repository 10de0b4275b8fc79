"""The operators' side of ShopManager: what the JSON routes under `/ops` and the pages of the dashboard both call."""

from __future__ import annotations

from shop_manager.operations.reads import Reads
from shop_manager.sessions import Sessions


class Operations:
    """`reads`: everything that can be looked at, for every role; values are those of the JSON answers."""

    def __init__(self, sessions: Sessions) -> None:
        self.database = sessions.manager.database
        self.reads = Reads(sessions)
