"""A business "no" is a value, not an exception (docs/design/architecture.md)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refused:
    """Why something was not done: `code` is one of a closed list in snake_case, `detail` one sentence for people.

    `internal` is what only the shop's own people may know beside it, such as a limit or what is in stock; mostly empty.
    """

    code: str
    detail: str
    internal: str = ""

    def as_json(self) -> dict[str, str]:
        """`{code, detail}`, and `internal` when there is something."""
        known = {"code": self.code, "detail": self.detail}
        return {**known, "internal": self.internal} if self.internal else known
