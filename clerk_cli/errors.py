"""What a command tells when it cannot do what was asked: one clear line, and exit code 2."""

from __future__ import annotations

LONGEST = 1000
"""Characters of a line; whatever is longer was not written for people."""


class Trouble(Exception):
    """A wrong flag, URL or setting, or something unreachable. The message is one clear line without secrets."""


def one_line(text: str) -> str:
    """`text` in one line: line ends become blanks, other control characters are escaped, and it is not endless."""
    joined = " ".join(text.split())
    return "".join(one if one.isprintable() else f"\\x{ord(one):02x}" for one in joined)[:LONGEST]
