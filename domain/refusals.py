"""A business "no" is a value, not an exception (architecture.md, Rules of shape 3)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refused:
    """Why something was not done: `code` is one of a closed list in snake_case, `detail` one sentence for people."""

    code: str
    detail: str

    def as_json(self) -> dict[str, str]:
        return {"code": self.code, "detail": self.detail}
