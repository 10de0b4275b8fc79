"""Alembic's way in to the migrations of fulfillment."""

from __future__ import annotations

from fulfillment_service.migrations import metadata
from messaging.migrations import run_in_environment

run_in_environment(metadata)
