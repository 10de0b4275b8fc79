"""Files and folders with secrets in them: whether others on this machine get at them, and what mends it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

ROOT_USER = 0


def open_file(path: Path) -> str | None:
    """Who else gets at this file, and what mends it, in words that go on from "it"; None when nobody or not there.

    A group may read a file of root's: so an account that runs services is given one that it cannot change.
    """
    found = _found(path)
    if found is None:
        return None
    if foreign(path):
        return foreign(path)
    given_by_root = found.st_uid == ROOT_USER != os.geteuid()
    if stat.S_IMODE(found.st_mode) & (0o037 if given_by_root else 0o077):
        return f"can be read or changed by others on this machine: chmod {'640' if given_by_root else '600'} {path}"
    return None


def foreign(path: Path) -> str | None:
    """Whether somebody else owns it, and what mends that, in words that go on from "it"; None when not."""
    found = _found(path)
    if found is None or found.st_uid in (ROOT_USER, os.geteuid()):
        return None
    return f"belongs to somebody else, who can put anything into it: chown {os.geteuid()} {path}"


def open_folder(path: Path) -> str | None:
    """Whether everybody may put files into the folder, and what mends it, in words that go on from "it"; else None."""
    found = _found(path)
    if found is None or not found.st_mode & stat.S_IWOTH:
        return None
    return f"can be written by everybody on this machine: chmod 700 {path}"


def _found(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None
