"""What happened, in order: always as a hash, so that two runs can be compared; as lines when somebody wants to read."""

from __future__ import annotations

from hashlib import blake2b

from simulation.chart import told


class Trace:
    """`lines` are kept only when asked for: a run of a thousand seeds writes them down for nobody."""

    def __init__(self, keep: bool = False) -> None:
        self._hash = blake2b(digest_size=16)
        self.lines: list[str] | None = [] if keep else None

    def note(self, now: int, who: str, what: str) -> None:
        self._hash.update(f"{now} {who} {what}\n".encode())
        if self.lines is not None:
            self.lines.append(f"{now} {who} {what}")

    def sent(self, now: int, queue: str, body: bytes, fate: str | None) -> None:
        """A delivery is on its way to a queue; `fate` is what goes wrong with it."""
        self._hash.update(f"{now} {queue} {fate}\n".encode())
        self._hash.update(body)
        if self.lines is not None:
            self.lines += [f"{now} {line}" for line in told(queue, body, fate)]

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()
