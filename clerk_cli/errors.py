"""What a command tells when it cannot do what was asked: one clear line, and exit code 2."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from domain.visible_text import escaped

LONGEST = 1000
"""Characters of a line; whatever is longer was not written for people."""
_LINE_ENDS = re.compile(r"[ \t\n\v\f\r]+")


class CliError(Exception):
    """A wrong flag, URL or setting, or something unreachable. The message is one clear line without secrets."""


@contextmanager
def value_errors_reported() -> Iterator[None]:
    """A ValueError inside the block becomes a CliError with the same words."""
    try:
        yield
    except ValueError as error:
        raise CliError(str(error)) from None


def one_line(text: str) -> str:
    """`text` in one line: line ends become blanks, whatever else acts or is not seen is escaped; it is not endless."""
    return escaped(_LINE_ENDS.sub(" ", text).strip(" "))[:LONGEST]
