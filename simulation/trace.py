"""What happened in a run, in order: as a hash, by which two runs are compared, and on request as lines."""

from __future__ import annotations

from hashlib import blake2b

from simulation.chart import TraceLine, message_lines


class Trace:
    """`lines` are None unless they were asked for: a thousand seeds would keep them for nobody."""

    def __init__(self, keep: bool = False) -> None:
        self._hash = blake2b(digest_size=16)
        self.lines: list[TraceLine] | None = [] if keep else None

    def note(self, now: int, participant: str, what: str, *, in_chart: bool = False) -> None:
        self._hash.update(f"{now} {participant} {what}\n".encode())
        if self.lines is not None:
            self.lines.append(TraceLine(f"{now} {participant} {what}", in_chart))

    def sent(self, now: int, queue: str, body: bytes, fault: str | None) -> None:
        """A delivery is on its way to a queue; `fault` is what goes wrong with it."""
        self._hash.update(f"{now} {queue} {fault}\n".encode())
        self._hash.update(body)
        if self.lines is not None:
            self.lines += [TraceLine(f"{now} {line}", True) for line in message_lines(queue, body, fault)]

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()
