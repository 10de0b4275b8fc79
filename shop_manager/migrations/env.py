"""Alembic's way in to the migrations of shop_manager."""

from __future__ import annotations

from messaging.migrations import run_in_environment
from shop_manager.migrations import metadata

run_in_environment(metadata)
