"""How the tables of fulfillment come to be, revision by revision (alembic)."""
