"""A private PostgreSQL cluster with fsync on, and fresh databases in it (or in a given one)."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg2
from psycopg2 import sql

from scenario_tests.servers.certificates import Certificate
from scenario_tests.servers.ports import free_ports
from scenario_tests.servers.processes import ServerProcess, change_owner, user_for, wait_until

SERVICES = ("shop_manager", "shop", "risk", "payment", "fulfillment")
START_LIMIT, STOP_LIMIT = 60.0, 60.0
_SETTINGS = """\
listen_addresses = '127.0.0.1'
max_connections = 200
"""


@dataclass(frozen=True, slots=True)
class ClusterSettings:
    """All that another process needs to act on the same cluster; JSON-able."""

    folder: str
    port: int
    password: str


class PostgresCluster:
    """The cluster of these settings. Any process of the same user may stop, kill and start it."""

    available = True

    def __init__(self, settings: ClusterSettings) -> None:
        self.settings = settings
        self.folder = Path(settings.folder)
        self._server = ServerProcess("postgres", self.folder, user_for("postgres"))
        self.admin_url = f"postgresql://clerk:{settings.password}@127.0.0.1:{settings.port}/postgres"

    @classmethod
    def create(cls, folder: Path) -> PostgresCluster:
        """A new, empty cluster in `folder`; not started yet."""
        folder.mkdir(parents=True)
        cluster = cls(ClusterSettings(str(folder), free_ports(1)[0], secrets.token_hex(8)))
        (folder / "password").write_text(cluster.settings.password)
        (folder / "sockets").mkdir()
        change_owner(folder, cluster._server.user)
        cluster._initialise()
        return cluster

    def as_json(self) -> dict[str, object]:
        return asdict(self.settings)

    def start(self) -> None:
        """Start it on the data it has; returns when it takes connections."""
        command = [_tool("postgres"), "-D", f"{self.folder}/data", "-p", str(self.settings.port)]
        self._server.launch([*command, "-k", f"{self.folder}/sockets"], _environment())
        self._server.wait_ready(self._answers, START_LIMIT)

    def stop(self) -> None:
        """An orderly stop; open connections are closed."""
        self._server.signal_and_wait(signal.SIGINT, STOP_LIMIT)

    def kill(self) -> None:
        """An immediate stop, as after a power cut: the next start recovers from the log."""
        self._server.signal_and_wait(signal.SIGQUIT, 10.0)

    def restart(self) -> None:
        self.stop()
        self.start()

    @property
    def running(self) -> bool:
        return self.pid is not None

    @property
    def pid(self) -> int | None:
        """Of the process whose children serve the connections; None while it does not run."""
        return self._server.pid

    def serve_with(self, certificate: Certificate | None) -> None:
        """Take TLS connections with this certificate from now on; with None no more."""
        files = (
            {"ssl_cert_file": str(certificate.file), "ssl_key_file": str(certificate.key)}
            if certificate
            else dict.fromkeys(("ssl_cert_file", "ssl_key_file"), "")
        )
        wanted = {**files, "ssl": "on" if certificate else "off"}
        with session(self.admin_url) as cursor:
            for name, value in wanted.items():
                cursor.execute(sql.SQL("ALTER SYSTEM SET {} = {}").format(sql.Identifier(name), sql.Literal(value)))
            cursor.execute("SELECT pg_reload_conf()")
        wait_until(lambda: self._has("ssl_cert_file", files["ssl_cert_file"]), 10.0, "the new certificate is in use")

    def _has(self, name: str, value: str) -> bool:
        """Whether new connections find this setting."""
        with session(self.admin_url) as cursor:
            cursor.execute("SELECT current_setting(%s)", (name,))
            return bool(cursor.fetchone()[0] == value)

    def dump(self, database: str, file: Path) -> Path:
        """Back the database up into the file, while it may be in use; returns the file."""
        self._run("pg_dump", "--format=custom", f"--file={file}", _with_database(self.admin_url, database))
        return file

    def restore(self, database: str, file: Path) -> None:
        """Replace the database by what `dump` has kept; nobody may use it meanwhile."""
        with session(self.admin_url) as cursor:
            cursor.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(database)))
            cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))
        self._run("pg_restore", f"--dbname={_with_database(self.admin_url, database)}", str(file))

    def _run(self, tool: str, *arguments: str) -> None:
        done = subprocess.run(
            [_tool(tool), *arguments], env=_environment(), capture_output=True, text=True, timeout=60.0, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{tool}: {done.stderr.strip()}")

    def _answers(self) -> bool:
        try:
            with session(self.admin_url):
                return True
        except psycopg2.OperationalError:
            return False

    def _initialise(self) -> None:
        """initdb, then our few settings. All others stay PostgreSQL's defaults, so that benchmarks are honest."""
        command = [_tool("initdb"), "-D", f"{self.folder}/data", "--username", "clerk", "--no-sync", "--no-locale"]
        command += ["--encoding", "UTF8", "--auth", "scram-sha-256", "--pwfile", f"{self.folder}/password"]
        user = self._server.user
        done = subprocess.run(
            command,
            env=_environment(),
            cwd=self.folder,
            user=user,
            group=None if user is None else self.folder.stat().st_gid,
            extra_groups=None if user is None else [],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"initdb: {done.stderr.strip()}")
        with (self.folder / "data" / "postgresql.conf").open("a") as config:
            config.write(_SETTINGS)


@contextmanager
def session(admin_url: str) -> Iterator[Any]:
    """A cursor that commits each statement, as CREATE DATABASE wants it."""
    connection = psycopg2.connect(admin_url, connect_timeout=5)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


def fresh_databases(admin_url: str, prefix: str) -> str:
    """Empty databases `PREFIXshop_manager`, `PREFIXshop`, … in place of any of these names.

    Returns their URL as a template with `{service}` in it, for the role of `admin_url`.
    """
    if not re.fullmatch(r"[a-z0-9_]{0,40}", prefix):
        raise ValueError(f"prefix {prefix!r}: allowed are a-z 0-9 _")
    with session(admin_url) as cursor:
        for service in SERVICES:
            name = sql.Identifier(f"{prefix}{service}")
            cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
            cursor.execute(sql.SQL("CREATE DATABASE {}").format(name))
    return _with_database(admin_url, prefix + "{service}")


def installed() -> bool:
    """Is there a PostgreSQL server on this machine?"""
    return _folder() is not None or shutil.which("initdb") is not None


def _with_database(url: str, database: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/{database}" + (f"?{parts.query}" if parts.query else "")


def _folder() -> Path | None:
    """The folder of the newest version that Debian has installed."""
    found = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    return max((path.parent for path in found), key=lambda path: float(path.parent.name), default=None)


def _tool(name: str) -> str:
    folder = _folder()
    found = str(folder / name) if folder else shutil.which(name)
    if found is None:
        raise RuntimeError(f"PostgreSQL is not installed: there is no {name}")
    return found


def _environment() -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
