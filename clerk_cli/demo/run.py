"""Runs `clerk demo`: the shop in this process, its traffic and troubles in a thread, until somebody ends it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from random import Random
from threading import Event, Thread
from time import monotonic

from clerk_cli.data_folder import Credentials, read_credentials
from clerk_cli.demo.door import Door
from clerk_cli.demo.goods import goods
from clerk_cli.demo.people import people
from clerk_cli.demo.timetable import Story, Timetable
from clerk_cli.demo.troubles import TROUBLES, noise
from clerk_cli.demo.visits import PIECES, SOLD_OUT, Stage, customers_come, goods_arrive
from clerk_cli.errors import Trouble
from clerk_cli.stopping import asked_to_stop
from clerk_cli.up import Up, Wanted, shop_up
from shop_manager.saga import StuckKind

SEED = 1
"""Names, prices and fates are the same in every demo."""
CUSTOMERS, FIRST_VISITS = 40, 40
VAN_EVERY = 60.0
QUICK = {"undo_tries": 2, "resend_first": 2.0, "step_limit_factor": 0.25}
"""An impatient ShopManager: what takes a minute in a real shop is stuck within some 15 s here."""
HEALED_BY: dict[StuckKind, str] = {
    "undo_failing": '"Ask again now" at payment; at stock "Settle by hand"',
    "no_answer": '"Ask again now"',
    "overdue": '"Settle by hand"',
    "parked_message": 'on the page "Parked": "Replay"',
    "unsupported": '"Ask again now"',
}


@dataclass(frozen=True, slots=True)
class Flags:
    """`data` None: a new folder that is gone afterwards. `seconds` None: until somebody ends it."""

    port: int
    data: Path | None
    pace: float
    seconds: float | None


def run_demo(flags: Flags) -> None:
    """Returns when it was asked to stop, or its seconds are over; Trouble when it cannot run."""
    with _folder(flags.data) as data:
        wanted = Wanted("127.0.0.1", flags.port, data, "auto", None, None, True, {"shop_manager": QUICK})
        with shop_up(wanted) as up:
            if up is None:
                return
            keys = read_credentials(data)
            if keys is None:
                raise Trouble(f"the credentials in {str(data)!r} are gone")
            _tell(up.url, data, keys)
            _play(up, keys, flags)


@contextmanager
def _folder(given: Path | None) -> Iterator[Path]:
    if given is not None:
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="clerk-demo-", ignore_cleanup_errors=True) as made:
        yield Path(made)


def _play(up: Up, keys: Credentials, flags: Flags) -> None:
    """The traffic runs beside us; it is stopped before the shop is."""
    stop, began = Event(), monotonic()
    traffic = Thread(target=_traffic, args=(Door(up.url, keys), up.url, flags.pace, stop), name="traffic", daemon=True)
    traffic.start()
    try:
        while not asked_to_stop(within=0.2):
            up.running.check()
            if flags.seconds is not None and monotonic() - began >= flags.seconds:
                return
    finally:
        stop.set()
        traffic.join(1.0)  # one call may take longer: it is cut off when the doors close


def _traffic(door: Door, url: str, a_minute: float, stop: Event) -> None:
    table = Timetable()
    table.add(_opening(door, table, url, a_minute))
    table.run(stop)


def _opening(door: Door, table: Timetable, url: str, a_minute: float) -> Story:
    """Fill the shop, then let everybody in."""
    chance = Random(SEED)  # noqa: S311  # names and fates, no secrets
    everybody = people(chance, CUSTOMERS)
    for good in goods(chance):
        door.offers(good, PIECES)
        yield 0.0
    door.stocks(SOLD_OUT, 0)
    for person in everybody:
        door.knows(person)
        yield 0.0
    stage = Stage(door, chance, door.products(), everybody)
    for trouble, times in chain.from_iterable(made.items() for made in TROUBLES.values()):
        for _ in range(times):
            table.add(trouble(stage))
    table.add(noise(stage))
    table.add(customers_come(stage, table, a_minute, FIRST_VISITS))
    table.add(goods_arrive(stage, VAN_EVERY), VAN_EVERY)
    table.add(_watch(door, url))


def _watch(door: Door, url: str) -> Story:
    """Tells once that every trouble is there."""
    wanted = {kind: sum(made.values()) for kind, made in TROUBLES.items()}
    while any(door.stuck().get(kind, 0) < count for kind, count in wanted.items()):
        yield 0.5
    print("\nStuck by now, and how each is healed:\n")
    for kind, count in wanted.items():
        print(f"  {kind:15} {count} orders   {HEALED_BY[kind]}")
    print(
        f"\nAll of them go on by themselves when their causes are lifted: curl -X DELETE {url}/dev/faults", flush=True
    )


def _tell(url: str, data: Path, keys: Credentials) -> None:
    places = {
        "dashboard": f"{url}/dashboard",
        "log in as": keys.operator_name,
        "password": keys.operator_password,
        "data": str(data),
    }
    print("Shop Clerk: a shop with lively traffic, and some trouble. Ctrl-C ends it.\n")
    for name, place in places.items():
        print(f"  {name:12} {place}")
    print("\nLook at the home page first: within half a minute it says what is stuck, why, and what it costs.")
    print("Click a cause, then an order: what is wrong, what happens by itself, and what you can do about it.")
    print(f"\nready {url}", flush=True)
