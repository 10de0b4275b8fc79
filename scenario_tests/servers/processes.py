"""Processes of test servers: start, look, signal, wait. They are found by pid files, so any process may act on them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import monotonic

_LOOK_EVERY = 0.02
_never = threading.Event()


def wait_until(condition: Callable[[], bool], limit: float, what: str) -> None:
    """Poll until `condition` holds; TimeoutError naming `what` after `limit` seconds."""
    until = monotonic() + limit
    while not condition():
        if monotonic() > until:
            raise TimeoutError(f"{what}: not within {limit:g} s")
        _never.wait(_LOOK_EVERY)


def user_for(account: str) -> str | None:
    """The user that a server has to run as: its package's own when we are root, else ours (None)."""
    return account if os.geteuid() == 0 else None


def change_owner(path: Path, user: str | None) -> None:
    """Give a folder and what is in it to the server's user."""
    if user is not None:
        for entry in (path, *path.rglob("*")):
            shutil.chown(entry, user, group=_group_of(user))


def _group_of(user: str) -> int:
    import pwd  # noqa: PLC0415  there is none outside Unix, where this is never reached

    return pwd.getpwnam(user).pw_gid


class ServerProcess:
    """One server process in `folder`. It survives its starter; `signal_and_wait` or the watcher ends it."""

    def __init__(self, name: str, folder: Path, user: str | None) -> None:
        self.name = name
        self.folder = folder
        self.user = user
        self.pid_file = folder / f"{name}.pid"
        self.log = folder / f"{name}.log"

    def launch(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        spec = {
            "command": list(command),
            "environment": dict(environment),
            "user": self.user,
            "folder": str(self.folder),
            "log": str(self.log),
            "pid_file": str(self.pid_file),
        }
        spec_file = self.folder / f"{self.name}.launch.json"
        spec_file.write_text(json.dumps(spec))
        launch = [sys.executable, "-m", "scenario_tests.servers.launch", str(spec_file)]
        subprocess.run(launch, cwd=Path(__file__).parents[2], check=True)

    @property
    def pid(self) -> int | None:
        """Of the running process; None when it does not run."""
        if not self.pid_file.exists():
            return None
        pid = int(self.pid_file.read_text() or 0)
        return pid if pid and is_alive(pid) else None

    def signal_and_wait(self, number: signal.Signals, limit: float) -> None:
        """Send it a signal and wait until it has ended; TimeoutError when it does not."""
        pid = self.pid
        if pid is not None:
            send(pid, number)
            wait_until(lambda: not is_alive(pid), limit, f"{self.name} ends on {number.name}")
        self.pid_file.unlink(missing_ok=True)

    def wait_ready(self, ready: Callable[[], bool], limit: float) -> None:
        """Wait until `ready`; RuntimeError with the end of the log when the server has ended instead."""

        def settled() -> bool:
            return self.pid is None or ready()

        try:
            wait_until(settled, limit, f"{self.name} is ready")
        except TimeoutError as error:
            raise RuntimeError(f"{error}\n{self.log_tail()}") from None
        if self.pid is None:
            raise RuntimeError(f"{self.name} did not start:\n{self.log_tail()}")

    def log_tail(self) -> str:
        text = self.log.read_text(errors="replace") if self.log.exists() else "(no log)"
        return "\n".join(text.splitlines()[-20:])


def is_alive(pid: int) -> bool:
    """Whether it runs; a zombie does not."""
    stat = Path(f"/proc/{pid}/stat")
    try:
        os.kill(pid, 0)
        return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def send(pid: int, number: signal.Signals) -> None:
    """Send a signal; that the process has ended meanwhile is no error."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def pid_file_beside(state_file: Path, name: str) -> Path:
    """The pid file for a process that is no server; the watcher ends every process that has one."""
    pid_file = state_file.parent / "processes" / f"{name}.pid"
    pid_file.parent.mkdir(exist_ok=True)
    return pid_file


def recording_pid(pid_file: Path | None, command: Sequence[str]) -> list[str]:
    """A command that writes its pid into the file, then becomes `command`; `command` itself where there is no file."""
    if pid_file is None:
        return list(command)
    return ["sh", "-c", 'printf %d $$ > "$1" && shift && exec "$@"', "run", str(pid_file), *command]
