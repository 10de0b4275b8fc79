"""Numbers in the fields of forms and in addresses: texts until they are known to be numbers of ours. Pure."""

from __future__ import annotations

import re


def is_number(text: str) -> bool:
    """Is it a number as we write them? `isdigit` knows more digits than `int` reads, and numbers without an end."""
    return re.fullmatch(r"[0-9]{1,18}", text) is not None
