"""Private servers for tests: a RabbitMQ node and a PostgreSQL cluster, started for one run and gone after it.

`with private_servers() as servers:` gives both. Inside `python -m scenario_tests.servers run` it gives those of that
run; and where CLERK_TEST_BROKER_URL or CLERK_TEST_DATABASE_URL name servers of somebody else, it gives these.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scenario_tests.servers.external import ExternalBroker, ExternalPostgres, NotAvailable
from scenario_tests.servers.postgres import ClusterSettings, PostgresCluster, fresh_databases
from scenario_tests.servers.rabbit import NodeSettings, RabbitNode

__all__ = ["NotAvailable", "Servers", "attached_servers", "private_servers"]

STATE, BROKER_URL, DATABASE_URL = "CLERK_TEST_SERVERS", "CLERK_TEST_BROKER_URL", "CLERK_TEST_DATABASE_URL"


@dataclass(frozen=True, slots=True)
class Servers:
    """A broker and a PostgreSQL. `broker.available` and `postgres.available` say whether they can be stopped here."""

    broker: RabbitNode | ExternalBroker
    postgres: PostgresCluster | ExternalPostgres
    state_file: Path | None = None

    @property
    def broker_url(self) -> str:
        return self.broker.url

    @property
    def admin_url(self) -> str:
        """PostgreSQL, for a role that may create databases."""
        return self.postgres.admin_url

    def fresh_databases(self, prefix: str = "") -> str:
        """Five new, empty databases; returns their URL template: `postgresql://…/PREFIX{service}`."""
        return fresh_databases(self.admin_url, prefix)

    def environment(self) -> dict[str, str]:
        """For a child process: the two URLs, and where it finds what it needs to stop and start servers of ours."""
        urls = {BROKER_URL: self.broker_url, DATABASE_URL: self.admin_url}
        return urls | ({STATE: str(self.state_file)} if self.state_file else {})


@contextmanager
def private_servers(environment: Mapping[str, str] = os.environ) -> Iterator[Servers]:
    """Both servers: those that the environment names, else started here, and ended in any case."""
    attached = attached_servers(environment)
    if attached is not None:
        yield attached
        return
    with _own_folder() as folder:
        yield _start_missing(folder, environment)


def attached_servers(environment: Mapping[str, str] = os.environ) -> Servers | None:
    """The servers that the environment names completely; None when some would have to be started."""
    if STATE in environment:
        return _read_state(Path(environment[STATE]))
    broker, postgres = environment.get(BROKER_URL), environment.get(DATABASE_URL)
    return Servers(ExternalBroker(broker), ExternalPostgres(postgres)) if broker and postgres else None


def _start_missing(folder: Path, environment: Mapping[str, str]) -> Servers:
    given_broker, given_postgres = environment.get(BROKER_URL), environment.get(DATABASE_URL)
    with ThreadPoolExecutor(2) as both:  # each takes seconds, mostly waiting
        broker = both.submit(lambda: ExternalBroker(given_broker) if given_broker else _new_broker(folder))
        postgres = both.submit(lambda: ExternalPostgres(given_postgres) if given_postgres else _new_postgres(folder))
    servers = Servers(broker.result(), postgres.result(), folder / "state.json")
    _write_state(folder / "state.json", servers)
    return servers


def _new_broker(folder: Path) -> RabbitNode:
    node = RabbitNode.create(folder / "broker")
    node.start()
    return node


def _new_postgres(folder: Path) -> PostgresCluster:
    cluster = PostgresCluster.create(folder / "postgres")
    cluster.start()
    return cluster


@contextmanager
def _own_folder() -> Iterator[Path]:
    """A folder that is removed, after its servers were ended, when we leave or die: the watcher sees our pipe close."""
    folder = Path(tempfile.mkdtemp(prefix="clerk-servers-"))
    folder.chmod(0o755)  # the servers' own users must get through
    watcher = subprocess.Popen(
        [sys.executable, "-m", f"{__name__}.watcher", str(folder)],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        start_new_session=True,
    )
    with watcher:  # leaving closes its stdin and waits for it
        yield folder


def _write_state(path: Path, servers: Servers) -> None:
    state: dict[str, object] = {"broker_url": servers.broker_url, "admin_url": servers.admin_url}
    if isinstance(servers.broker, RabbitNode):
        state["broker"] = servers.broker.as_json()
    if isinstance(servers.postgres, PostgresCluster):
        state["postgres"] = servers.postgres.as_json()
    path.touch(mode=0o600)
    path.write_text(json.dumps(state))


def _read_state(path: Path) -> Servers:
    state = json.loads(path.read_text())
    node, cluster = state.get("broker"), state.get("postgres")
    return Servers(
        RabbitNode(NodeSettings(**node)) if node else ExternalBroker(state["broker_url"]),
        PostgresCluster(ClusterSettings(**cluster)) if cluster else ExternalPostgres(state["admin_url"]),
        path,
    )
