"""`python -m benchmarks WHAT …`: the same as `clerk bench WHAT …`."""

from __future__ import annotations

import sys

from clerk_cli.main import run

sys.exit(run(["bench", *sys.argv[1:]]))
