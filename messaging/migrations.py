"""Migrations: each service's package has a folder of them, and `clerk migrate` runs them; services only look, which is
in migrated.py (security S14).

Revisions are called after their service (`risk_0001`), so that nobody takes another service's tables for its own.
"""

from __future__ import annotations

from importlib import import_module

from alembic import command, context
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import MetaData

from messaging.database import Database, Tx
from messaging.migrated import NotMigrated, folder_of, head, revision_in


def metadata_of(package: str) -> MetaData:
    """The tables that the package's migrations lead to: its `migrations` name them."""
    metadata: MetaData = import_module(f"{package}.migrations").metadata
    return metadata


def _config(package: str) -> Config:
    config = Config()
    config.set_main_option("script_location", folder_of(package).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _script(package: str) -> ScriptDirectory:
    return ScriptDirectory.from_config(_config(package))


def migrate(database: Database, package: str) -> tuple[str | None, str]:
    """Create or upgrade the tables, all of it or nothing; returns (revision before, revision after).

    Raises NotMigrated when the database is of a newer version, or another service's.
    """
    wanted = head(package)
    with database.begin() as tx:
        tx.lock(["migrate"])
        if database.schema and database.dialect == "postgresql" and not _is_ours(revision_in(tx), package):
            _move_into_schema(tx, database.schema)
        before = revision_in(tx)
        if before is not None and not _is_ours(before, package):
            raise NotMigrated(f"the database of {package} is at revision {before}, which this version does not know")
        if before != wanted:
            config = _config(package)
            config.attributes["connection"] = tx.connection
            command.upgrade(config, "head")
    return before, wanted


def _is_ours(revision: str | None, package: str) -> bool:
    """Does this version of the package know the revision?"""
    if revision is None:
        return False
    try:
        return _script(package).get_revision(revision) is not None
    except CommandError:
        return False


def _move_into_schema(tx: Tx, schema: str) -> None:
    """Several services share this PostgreSQL database: the tables go into a schema of the service's own."""
    tx.connection.exec_driver_sql(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
    tx.connection.exec_driver_sql(f'SET LOCAL search_path TO "{schema}"')


def run_in_environment(metadata: MetaData) -> None:
    """What each package's `migrations/env.py` calls: runs alembic's steps in the transaction that `migrate` began."""
    connection = context.config.attributes["connection"]
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()
