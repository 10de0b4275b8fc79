"""What goes wrong at the database: it is away, or somebody else wrote first; and how its words are told in a line."""

from __future__ import annotations

from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

DATABASE_ERRORS = (OperationalError, InterfaceError, PoolTimeout)
"""The database is not there, or not now: nobody's fault, to be tried again. For `except`."""


def is_away(error: BaseException) -> bool:
    """Is the database not there at all, whatever is asked of it? False for what it said itself of one statement."""
    said = getattr(getattr(error, "orig", None), "pgcode", None)
    return isinstance(error, DATABASE_ERRORS) and said is None


class ConcurrencyError(Exception):
    """Somebody else wrote first (compare-and-set, semantics T3): what was decided has to be read and decided anew."""


def said_by(error: BaseException) -> str:
    """The first line of what the database itself said, without SQLAlchemy's words around it. Never empty."""
    return all_said_by(error).splitlines()[0]


def all_said_by(error: BaseException) -> str:
    """All that the database itself said, one line or several; the error's type where it said nothing."""
    return str(getattr(error, "orig", None) or error).strip() or type(error).__name__
