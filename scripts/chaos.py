"""`make chaos`: runs the nemesis (scenario_tests/faults/nemesis.py) on a RabbitMQ and a PostgreSQL of its own.

As root on Debian they are installed first. The nemesis replaces this process, so that a Ctrl-C reaches it directly.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # a script's own folder is on the path, the project's is not

from scenario_tests.servers import BROKER_URL, DATABASE_URL  # noqa: E402  needs the line above
from scripts.run_tests import packages_missing  # noqa: E402  as above


def main(arguments: list[str]) -> NoReturn:
    missing = packages_missing()
    if missing is not None:
        sys.exit(f"chaos: {missing}")
    for given in (BROKER_URL, DATABASE_URL):  # the nemesis stops its servers: never those of the user
        os.environ.pop(given, None)
    os.chdir(ROOT)
    nemesis = [sys.executable, "-m", "scenario_tests.faults.nemesis", *arguments]
    os.execv(sys.executable, [sys.executable, "-m", "scenario_tests.servers", "run", "--", *nemesis])  # noqa: S606  no shell


if __name__ == "__main__":
    main(sys.argv[1:])
