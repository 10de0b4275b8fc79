"""How the tables of risk come to be, revision by revision (alembic)."""
