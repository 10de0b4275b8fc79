"""Migrations: each service's package has a `migrations` folder; `clerk migrate` runs them, workers only look (S14)."""

from __future__ import annotations

from importlib.resources import files

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from messaging.database import Database


class NotMigrated(Exception):
    """The tables are not those this version needs; the message is one clear line."""


def _config(package: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(files(package) / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def head(package: str) -> str:
    """The newest revision that this version of the package knows."""
    return ScriptDirectory.from_config(_config(package)).get_current_head() or ""


def current(database: Database) -> str | None:
    """The revision that the database is at; None for an empty one."""
    with database.read() as tx:
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
    """Create or upgrade the tables; returns (revision before, revision after)."""
    before = current(database)
    config = _config(package)
    with database.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return before, head(package)
