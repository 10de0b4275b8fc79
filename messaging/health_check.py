"""One line of `/health/ready`: whether one thing that a participant needs is well. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """`detail` is one line without secrets; `age_seconds`: how long ago the thing was last seen at work."""

    ok: bool
    detail: str = "ok"
    age_seconds: float | None = None

    def as_json(self) -> dict[str, Any]:
        shown: dict[str, Any] = {"ok": self.ok, "detail": self.detail}
        return shown if self.age_seconds is None else {**shown, "age_seconds": round(self.age_seconds, 3)}
