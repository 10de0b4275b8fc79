"""How the tables of shop come to be, revision by revision (alembic)."""
