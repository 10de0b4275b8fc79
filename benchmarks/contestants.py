"""Who takes part: how each is started on private servers, and what can be measured on it (docs/decisions/094, 095)."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from benchmarks import peers
from benchmarks.baseline_rounds import BaselineRound
from benchmarks.figures import Figures
from benchmarks.meter import session
from benchmarks.our_rounds import OurRound
from benchmarks.shops import MeasuredShop, embedded, services
from benchmarks.stress import stress_phases
from clerk_cli.databases import open_one
from clerk_cli.services import NAMES, the_service
from domain.messages import SHOP_MANAGER
from domain.version import VERSION
from scenario_tests.servers import Servers
from scenario_tests.servers.rabbit import RabbitNode

_numbers = count(1)


class Round(Protocol):
    """One contestant, started anew. A phase takes a number of orders; `versions` of what it runs on."""

    versions: dict[str, str]

    @property
    def phases(self) -> Mapping[str, Callable[[int], Figures]]: ...

    def warm_up(self) -> None: ...

    def verify(self) -> object:
        """Raises when what it has done is wrong."""


@dataclass(frozen=True, slots=True)
class Place:
    """Empty databases (a URL template) and an empty virtual host for one start, and a folder.

    `servers` None: there are none, and nobody needs any.
    """

    servers: Servers | None
    broker: str
    database: str
    folder: Path


@dataclass(frozen=True, slots=True)
class Contestant:
    """`workers`: the numbers of workers a service of which the best counts; `share` of the orders that it plays.

    `lacks`: what it does not guarantee, for those who compare. `needs_servers`: a broker and a database.
    """

    name: str
    start: Callable[[Place, int], AbstractContextManager[Round]]
    workers: tuple[int, ...] = (1,)
    share: float = 1.0
    lacks: str = ""
    needs_servers: bool = True


@contextmanager
def fresh_place(servers: Servers | None) -> Iterator[Place]:
    """Nothing of it is left afterwards."""
    with TemporaryDirectory(prefix="clerk-bench-") as folder:
        if servers is None:
            yield Place(None, "", "", Path(folder))
        else:
            with _fresh_databases(servers) as (broker, database):
                yield Place(servers, broker, database, Path(folder))


@contextmanager
def _fresh_databases(servers: Servers) -> Iterator[tuple[str, str]]:
    """The URL of a virtual host, and the template of the databases' URLs."""
    name = f"bench_{os.getpid()}_{next(_numbers)}"
    database = servers.fresh_databases(f"{name}_")
    broker = servers.broker.new_vhost(name) if isinstance(servers.broker, RabbitNode) else servers.broker_url
    try:
        yield broker, database
    finally:
        if isinstance(servers.broker, RabbitNode):
            servers.broker.ctl("delete_vhost", name)
        with session(servers.admin_url) as cursor:
            for service in NAMES:
                cursor.execute(f'DROP DATABASE IF EXISTS "{name}_{service}" WITH (FORCE)')


@contextmanager
def measured(shop: MeasuredShop, place: Place, *, holdable: bool) -> Iterator[OurRound]:
    """A shop that runs, as a contestant."""
    database = open_one(the_service(SHOP_MANAGER), shop.database, 2)
    our = OurRound(shop, place.servers, database, place.folder, holdable)
    try:
        our.versions["Shop Clerk"] = VERSION
        our.phases = {**our.phases, **stress_phases(our)}
        yield our
    finally:
        our.caller.close()
        database.close()


@contextmanager
def ours(place: Place, copies: int) -> Iterator[Round]:
    """Five `clerk serve`, or so many of each."""
    started = services(place.folder, place.broker, "", place.database, copies=copies)
    with started as shop, measured(shop, place, holdable=True) as our:
        yield our


@contextmanager
def in_one_process(place: Place, _copies: int) -> Iterator[Round]:
    """`clerk up`: SQLite, and a broker in memory."""
    with embedded(place.folder) as shop, measured(shop, place, holdable=False) as our:
        yield our


def this_python() -> tuple[str, dict[str, str]]:
    """The Python that runs here; nothing more is needed."""
    return sys.executable, {}


def baseline(
    module: str, prepare: Callable[[], tuple[str, dict[str, str]]] = this_python
) -> Callable[[Place, int], AbstractContextManager[Round]]:
    """A program of `benchmarks.baselines`. `prepare`: gives its Python and more of its environment."""

    @contextmanager
    def start(place: Place, workers: int) -> Iterator[Round]:
        python, more = prepare()
        given = {"BENCH_BROKER": place.broker, "BENCH_DATABASE": place.database, "BENCH_WORKERS": str(workers), **more}
        environment = {**os.environ, **given, "PYTHONPATH": str(Path(__file__).parent.parent)}
        with (place.folder / "log").open("wb") as log:
            program = subprocess.Popen(  # noqa: S603  # our own command line
                [python, "-m", f"benchmarks.baselines.{module}"],
                cwd=place.folder, env=environment, text=True, bufsize=1,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
            )  # fmt: skip
        with program:
            try:
                yield BaselineRound(program, place.servers, place.folder / "log")
            finally:
                program.terminate()

    return start


OURS = Contestant("ours", ours)
EMBEDDED = Contestant("embedded", in_one_process, needs_servers=False)
NAIVE = Contestant(
    "naive",
    baseline("naive"),
    (1, 4, 8),
    0.1,
    "a crash between commit and publish loses a step for good, or does it twice; no undo, no retries, no HTTP, "
    "no history",
)
OUTBOX = Contestant(
    "outbox",
    baseline("outbox"),
    (1, 4, 8),
    0.1,
    "no undo, no limits of time, no parking of bad messages, no HTTP, no history",
)
SPIKE = Contestant(
    "spike",
    baseline("spike"),
    share=1.0,
    lacks="no undo, no limits of time, no checks of what it reads, no HTTP, no history; one bad message stops it",
)
MORE = [Contestant("ours-2", ours, (2,)), Contestant("ours-4", ours, (4,))]
"""Two and four processes of each service."""
PEERS = [
    Contestant(
        "dbos",
        baseline("dbos_peer", peers.DBOS.installed),
        (1, 2, 4),
        0.1,
        "one database for all services: a step is a function call, not a message; undo, limits of time for people and "
        "parking are left to the caller",
    ),
    Contestant(
        "celery",
        baseline("celery_peer", peers.CELERY.installed),
        (4, 8, 16),
        0.1,
        "a task that a worker's death interrupts is done again, also when it had committed; no undo, no inbox, and "
        "nobody knows where an order is",
    ),
    Contestant(
        "restate",
        baseline("restate_peer", peers.RESTATE_PEER.installed),
        share=0.1,
        lacks="a step that a crash interrupts is done again, also when it had committed; its log is one server's disk; "
        "undo is left to the caller",
    ),
]
"""Installed and run on request only."""
CONTESTANTS = {each.name: each for each in (OURS, EMBEDDED, NAIVE, OUTBOX, SPIKE, *MORE, *PEERS)}
