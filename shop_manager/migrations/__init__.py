"""How the tables of shop_manager come to be, revision by revision (alembic)."""
