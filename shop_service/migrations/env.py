"""Alembic's way in to the migrations of shop."""

from __future__ import annotations

from messaging.migrations import run_in_environment
from shop_service.migrations import metadata

run_in_environment(metadata)
