"""What a service keeps in memory for as long as it runs: code that it never uses is not loaded."""

from __future__ import annotations

import subprocess
import sys

from clerk_cli.services import SERVICES

NEVER_USED = {"alembic", "mako", "rich", "pygments"}
"""Those that make migrations, 7 MiB and about 0.2 s of processor time for each process, and those that colour what is
written to terminals, 4 MiB.
"""


def test_what_a_service_never_uses_is_not_loaded_by_one_that_runs() -> None:
    modules = ["clerk_cli.serve", *(f"{service.package}.main" for service in SERVICES)]
    program = (
        "import sys; from clerk_cli.commands import app; "
        "from clerk_cli.lean_imports import do_without_terminals; do_without_terminals(); "
        f"import {', '.join(modules)}; print(*{{name.split('.')[0] for name, it in sys.modules.items() if it}})"
    )
    found = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    loaded = set(found.stdout.split())
    assert {"sqlalchemy", "structlog", "httpx", *(service.package for service in SERVICES)} <= loaded
    assert loaded & NEVER_USED == set()
