"""How the tables of risk come to be, revision by revision (alembic)."""

from risk_service.store import metadata

__all__ = ["metadata"]
