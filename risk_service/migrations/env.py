"""Alembic's way in to the migrations of risk."""

from __future__ import annotations

from messaging.migrations import run_in_environment
from risk_service.migrations import metadata

run_in_environment(metadata)
