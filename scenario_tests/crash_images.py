"""Crash images: what a power cut leaves of a shop's SQLite files, each cut off at one of its own commits.

While a shop is recorded nothing is checkpointed, so every commit stands in the write-ahead logs, in order; an image is
the files from before with some first part of each log.
"""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

import pytest
from sqlalchemy import Engine, Executable, event
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

from clerk_cli.services import NAMES
from messaging.database import Database

_HEADER, _FRAME = 32, 24
"""Bytes of a log's header, and of each frame's before its page (https://sqlite.org/fileformat2.html#walformat)."""


@dataclass(frozen=True)
class Recording:
    """`before`: the folder with the files as they were; `logs` and `ends` by service: its log, and where each of its
    commits ends in it. `order`: (service, bytes of its log that were written) after each commit, as they followed.
    """

    before: Path
    logs: Mapping[str, bytes]
    ends: Mapping[str, list[int]]
    order: list[tuple[str, int]]

    def cut_anywhere(self, chance: random.Random) -> dict[str, int]:
        """Each log at some commit of its own: what `normal` may leave."""
        return {name: chance.choice(ends) for name, ends in self.ends.items()}

    def cut_at_once(self, chance: random.Random) -> dict[str, int]:
        """Each log after what was committed at one moment, some with the one commit more that was under way."""
        moment = chance.randrange(len(self.order) + 1)
        written = dict.fromkeys(self.ends, 0) | dict(self.order[:moment])
        return {name: self._at_or_behind(name, size, chance) for name, size in written.items()}

    def _at_or_behind(self, name: str, size: int, chance: random.Random) -> int:
        torn = chance.randrange(3) * chance.randrange(1000)  # of a commit that was not finished
        return max(end for end in self.ends[name] if end <= size) + torn

    def image(self, cuts: Mapping[str, int], folder: Path) -> Path:
        """Put the image into a new folder."""
        shutil.copytree(self.before, folder)
        for name, size in cuts.items():
            (folder / f"{name}.db-wal").write_bytes(self.logs[name][:size])
        return folder


@dataclass
class Recorder:
    """Notes how far each log in a folder was written after each commit, while other shops may run in this process.

    One commit at a time, so that none is noted too late.
    """

    folder: Path
    order: list[tuple[str, int]] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def commit(self, commit: Callable[[], None], file: Path) -> None:
        if not self.has(file):
            commit()
            return
        with self._lock:
            commit()
            self.order.append((file.stem, Path(f"{file}-wal").stat().st_size))

    def has(self, file: Path) -> bool:
        return file.parent == self.folder.resolve()

    def recording(self, before: Path) -> Recording:
        """What was recorded, while the shop is still open."""
        logs = {name: (self.folder / f"{name}.db-wal").read_bytes() for name in NAMES}
        ends = {name: _ends(log) for name, log in logs.items()}
        for name, known in ends.items():
            sizes = [size for service, size in self.order if service == name]
            assert sizes == sorted(sizes), f"the log of {name} was begun anew while it was recorded"
            assert set(sizes) <= set(known), f"the log of {name} was written behind the back of its recorder"
        return Recording(before, logs, ends, self.order)


@contextmanager
def recorded(folder: Path) -> Iterator[Recorder]:
    """Inside the block no log in the folder is checkpointed, and every commit is noted."""
    recorder = Recorder(folder)
    held = ExitStack()
    files: set[Path] = set()
    commit: Callable[[SQLiteDialect_pysqlite, Any], None] = SQLiteDialect_pysqlite.do_commit

    def noted(dialect: SQLiteDialect_pysqlite, connection: Any) -> None:
        recorder.commit(lambda: commit(dialect, connection), _file_of(connection))

    def never_checkpoint(connection: Any, _record: Any) -> None:
        file = _file_of(connection)
        if not recorder.has(file):
            return
        connection.execute("PRAGMA wal_autocheckpoint=0")
        if file not in files:  # the last connection that is closed would checkpoint, so one more stays open
            files.add(file)
            one_more = held.enter_context(closing(sqlite3.connect(file, check_same_thread=False)))
            one_more.execute("PRAGMA schema_version").fetchall()

    def erased(database: Database, deletion: Executable) -> None:
        with database.begin() as tx:
            tx.execute(deletion)

    event.listen(Engine, "connect", never_checkpoint)
    try:
        with held, pytest.MonkeyPatch.context() as patch:
            patch.setattr(SQLiteDialect_pysqlite, "do_commit", noted)
            patch.setattr(Database, "erase", erased)
            yield recorder
    finally:
        event.remove(Engine, "connect", never_checkpoint)


def _file_of(connection: Any) -> Path:
    [(_, _, file)] = connection.execute("PRAGMA database_list").fetchall()
    return Path(file).resolve()


def _ends(log: bytes) -> list[int]:
    """Where a commit ends: a frame that names the size of the database is the last one of its transaction."""
    frame = _FRAME + int.from_bytes(log[8:12], "big")
    starts = range(_HEADER, len(log) - frame + 1, frame)
    salts = log[16:24]
    return [0] + [
        start + frame for start in starts if any(log[start + 4 : start + 8]) and log[start + 8 : start + 16] == salts
    ]
