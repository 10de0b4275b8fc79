"""How the tables of shop come to be, revision by revision (alembic)."""

from shop_service.store import metadata

__all__ = ["metadata"]
