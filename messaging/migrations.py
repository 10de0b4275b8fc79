"""Migrations: each service's package has a `migrations` folder; `clerk migrate` runs them, workers only look (S14).

Revisions are called after their service (`risk_0001`), so that nobody takes another service's tables for its own.
"""

from __future__ import annotations

from importlib.resources import files

from alembic import command, context
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import MetaData

from messaging.database import Database, Tx


class NotMigrated(Exception):
    """The tables are not those this version needs; the message is one clear line."""


def folder_of(package: str) -> str:
    """Where the package's migrations are."""
    return str(files(package) / "migrations")


def _config(package: str) -> Config:
    config = Config()
    config.set_main_option("script_location", folder_of(package).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _script(package: str) -> ScriptDirectory:
    return ScriptDirectory.from_config(_config(package))


def head(package: str) -> str:
    """The newest revision that this version of the package knows."""
    return _script(package).get_current_head() or ""


def current(database: Database) -> str | None:
    """The revision that the database is at; None for an empty one."""
    with database.read() as tx:
        return _revision(tx)


def _revision(tx: Tx) -> str | None:
    return MigrationContext.configure(tx.connection).get_current_revision()


def require_migrated(database: Database, package: str) -> None:
    """Raises NotMigrated unless the database is at this version's newest revision."""
    found, wanted = current(database), head(package)
    if found != wanted:
        raise NotMigrated(
            f"the database of {package} is at revision {found or 'none'}, this version needs {wanted}: "
            "run `clerk migrate` first"
        )


def migrate(database: Database, package: str) -> tuple[str | None, str]:
    """Create or upgrade the tables, all of it or nothing; returns (revision before, revision after).

    Raises NotMigrated when the database is of a newer version, or another service's.
    """
    wanted = head(package)
    with database.begin() as tx:
        tx.lock(["migrate"])
        if database.schema and database.dialect == "postgresql" and not _is_ours(_revision(tx), package):
            _move_into_schema(tx, database.schema)
        before = _revision(tx)
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
