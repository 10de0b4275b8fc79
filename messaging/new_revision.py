"""For developers: writes a service's next migration from what its store says and what its migrations give so far.

`python -m messaging.new_revision risk_service "remember the day"`; then read the new file and tidy it.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.operations.ops import DowngradeOps, UpgradeOps
from alembic.runtime.migration import MigrationContext

from messaging.database import Database
from messaging.migrated import folder_of, head
from messaging.migrations import metadata_of, migrate

USAGE = 'usage: python -m messaging.new_revision PACKAGE "what changes"'
_FILE = '''"""{words}"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = {down_revision}


def upgrade() -> None:
    {upgrade}


def downgrade() -> None:
    {downgrade}
'''


def write_revision(package: str, words: str) -> Path:
    """The new file, in the package's `migrations/versions`. ValueError when the tables have not changed."""
    before = head(package)
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/now.db")
        if before:
            migrate(database, package)
        upgrade, downgrade = _difference(database, metadata_of(package))
        database.close()
    number = int(before.rpartition("_")[2] or 0) + 1
    revision = f"{package.removesuffix('_service')}_{number:04d}"
    name = "_".join(re.findall(r"[a-z0-9]+", words.lower()))
    path = Path(folder_of(package)) / "versions" / f"{number:04d}_{name}.py"
    path.write_text(
        _FILE.format(
            words=words.strip().rstrip(".") + ".",
            revision=revision,
            down_revision=f'"{before}"' if before else None,
            upgrade=upgrade,
            downgrade=downgrade,
        )
    )
    return path


def _difference(database: Database, metadata: Any) -> tuple[str, str]:
    """What to do to come from the database to the metadata, and back, as Python text."""
    with database.read() as tx:
        context = MigrationContext.configure(tx.connection, opts={"target_metadata": metadata})
        script = produce_migrations(context, metadata)
        batch = context.get_current_revision() is not None  # only SQLite's tables that are there already need it
    upgrade, downgrade = script.upgrade_ops, script.downgrade_ops
    if upgrade is None or downgrade is None or upgrade.is_empty():
        raise ValueError("the tables are as the migrations make them: there is nothing to write")
    return _code(upgrade, batch), _code(downgrade, batch)


def _code(operations: UpgradeOps | DowngradeOps, batch: bool) -> str:
    lines = render_python_code(operations, render_as_batch=batch).splitlines()
    return "\n".join(line for line in lines if not line.strip().startswith("# ###")).strip()


def main(arguments: Sequence[str]) -> int:
    if len(arguments) != 2:
        sys.stderr.write(USAGE + "\n")
        return 2
    try:
        path = write_revision(*arguments)
    except (ValueError, ModuleNotFoundError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
