"""Are a database's tables those that this version needs? Services only look (security S14): migrations.py makes them.

What runs for long does without alembic, which takes 7 MiB and about 0.2 s of processor time to load.
"""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

from sqlalchemy import inspect

from messaging.database import Database, Tx

VERSION_TABLE = "alembic_version"
_MADE = re.compile(r'^revision = "(\w+)"$', re.MULTILINE)
_FOLLOWED = re.compile(r'^down_revision = "(\w+)"$', re.MULTILINE)


class NotMigrated(Exception):
    """The tables are not those this version needs; the message is one clear line."""


def folder_of(package: str) -> str:
    """Where the package's migrations are."""
    return str(files(package) / "migrations")


def head(package: str) -> str:
    """The newest revision that this version of the package knows: the one that none of its files follows."""
    texts = [file.read_text(encoding="utf-8") for file in Path(folder_of(package), "versions").glob("[0-9]*.py")]
    made, followed = ({found for text in texts for found in each.findall(text)} for each in (_MADE, _FOLLOWED))
    return "".join(made - followed)


def current(database: Database) -> str | None:
    """The revision that the database is at; None for an empty one."""
    with database.read() as tx:
        return revision_in(tx)


def revision_in(tx: Tx) -> str | None:
    """As `current`, in a transaction."""
    if not inspect(tx.connection).has_table(VERSION_TABLE):
        return None
    found: str | None = tx.connection.exec_driver_sql(f"SELECT version_num FROM {VERSION_TABLE}").scalar()  # noqa: S608  # our own table
    return found


def require_migrated(database: Database, package: str) -> None:
    """Raises NotMigrated unless the database is at this version's newest revision."""
    found, wanted = current(database), head(package)
    if found != wanted:
        raise NotMigrated(
            f"the database of {package} is at revision {found or 'none'}, this version needs {wanted}: "
            "run `clerk migrate` first"
        )
