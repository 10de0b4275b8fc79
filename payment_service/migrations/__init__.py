"""How the tables of payment come to be, revision by revision (alembic)."""
