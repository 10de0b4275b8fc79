"""How the tables of shop_manager come to be, revision by revision (alembic)."""

from shop_manager.engine.tables import metadata

__all__ = ["metadata"]
