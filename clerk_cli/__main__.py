"""`python -m clerk_cli` is the same as `clerk`."""

from __future__ import annotations

from clerk_cli.main import main

if __name__ == "__main__":
    main()
