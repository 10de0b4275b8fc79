"""The PostgreSQL that tests marked `database` use, and what an administrator does there."""

from __future__ import annotations

import os

import psycopg2
import pytest


def admin_url() -> str:
    """For a role that may create databases. Without one the test is skipped on a laptop, and fails where CI=true."""
    url = os.environ.get("CLERK_TEST_DATABASE_URL")
    if url:
        return url
    reason = "no PostgreSQL to test with: CLERK_TEST_DATABASE_URL is not set"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def administer(url: str, *statements: str) -> None:
    """Run the statements one by one, each committed, as CREATE DATABASE wants it."""
    connection = psycopg2.connect(url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
    connection.close()
