"""What happened, in order: always as a hash, so that two runs can be compared; as lines when somebody wants to read."""

from __future__ import annotations

from hashlib import blake2b


class Trace:
    """`lines` are kept only when asked for: a run of a thousand seeds writes them down for nobody."""

    def __init__(self, keep: bool = False) -> None:
        self._hash = blake2b(digest_size=16)
        self.lines: list[str] | None = [] if keep else None

    def note(self, now: int, who: str, what: str) -> None:
        line = f"{now} {who} {what}"
        self._hash.update(line.encode())
        self._hash.update(b"\n")
        if self.lines is not None:
            self.lines.append(line)

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()
