"""How the tables of payment come to be, revision by revision (alembic)."""

from payment_service.store import metadata

__all__ = ["metadata"]
