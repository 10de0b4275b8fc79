"""How the tables of fulfillment come to be, revision by revision (alembic)."""

from fulfillment_service.store import metadata

__all__ = ["metadata"]
