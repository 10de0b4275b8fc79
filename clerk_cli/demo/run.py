"""Runs `clerk demo`: the shop in this process, with its traffic and stuck orders in a thread, until it is stopped."""

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
from clerk_cli.demo.goods import goods
from clerk_cli.demo.people import people
from clerk_cli.demo.shop_client import ShopClient
from clerk_cli.demo.story_scheduler import Story, StoryScheduler
from clerk_cli.demo.troubles import TROUBLES, noise
from clerk_cli.demo.visits import PIECES, SOLD_OUT, DemoShop, customers_come, goods_arrive
from clerk_cli.errors import CliError
from clerk_cli.stopping import asked_to_stop
from clerk_cli.up import RunningShop, UpFlags, run_shop
from shop_manager.saga.state import StuckKind

SEED = 1
"""Names, prices and what customers do are the same in every demo."""
CUSTOMERS, FIRST_VISITS = 40, 40
RESTOCK_EVERY = 60.0
"""Seconds."""
QUICK = {"undo_tries": 2, "resend_first": 2.0, "step_limit_factor": 0.25}
"""ShopManager's settings: with them a Clerk is stuck after some 15 s, not after minutes as in a real shop."""
HEALED_BY: dict[StuckKind, str] = {
    "undo_failing": '"Ask again now" at payment; at stock "Settle by hand"',
    "no_answer": '"Ask again now"',
    "overdue": '"Settle by hand"',
    "parked_message": 'on the page "Parked": "Replay"',
    "unsupported": '"Ask again now"',
}


@dataclass(frozen=True, slots=True)
class DemoFlags:
    """`pace`: orders a minute. `data` None: a new folder that is deleted afterwards. `seconds` None: until stopped."""

    port: int
    data: Path | None
    pace: float
    seconds: float | None


def run_demo(flags: DemoFlags) -> None:
    """Returns when it was asked to stop, or its seconds are over; CliError when it cannot run."""
    with _folder(flags.data) as data:
        up_flags = UpFlags("127.0.0.1", flags.port, data, "auto", None, None, True, {"shop_manager": QUICK})
        with run_shop(up_flags) as shop:
            if shop is None:
                return
            keys = read_credentials(data)
            if keys is None:
                raise CliError(f"the credentials in {str(data)!r} are gone")
            _print_intro(shop.url, data, keys)
            _run_traffic(shop, keys, flags)


@contextmanager
def _folder(given: Path | None) -> Iterator[Path]:
    if given is not None:
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="clerk-demo-", ignore_cleanup_errors=True) as made:
        yield Path(made)


def _run_traffic(shop: RunningShop, keys: Credentials, flags: DemoFlags) -> None:
    """Run the traffic in a thread until we are asked to stop; it is stopped before the shop is."""
    stop, began = Event(), monotonic()
    traffic = Thread(
        target=_traffic, args=(ShopClient(shop.url, keys), shop.url, flags.pace, stop), name="traffic", daemon=True
    )
    traffic.start()
    try:
        while not asked_to_stop(within=0.2):
            shop.running.check()
            if flags.seconds is not None and monotonic() - began >= flags.seconds:
                return
    finally:
        stop.set()
        traffic.join(1.0)  # a call that takes longer is cut off when the HTTP server stops


def _traffic(client: ShopClient, url: str, a_minute: float, stop: Event) -> None:
    stories = StoryScheduler()
    stories.add(_opening(client, stories, url, a_minute))
    stories.run(stop)


def _opening(client: ShopClient, stories: StoryScheduler, url: str, a_minute: float) -> Story:
    """Fill the shop, then begin all other stories."""
    chance = Random(SEED)  # noqa: S311  # names and fates, no secrets
    everybody = people(chance, CUSTOMERS)
    for good in goods(chance):
        client.put_product(good, PIECES)
        yield 0.0
    client.set_stock(SOLD_OUT, 0)
    for person in everybody:
        client.put_customer(person)
        yield 0.0
    demo = DemoShop(client, chance, client.products(), everybody)
    for trouble, times in chain.from_iterable(made.items() for made in TROUBLES.values()):
        for _ in range(times):
            stories.add(trouble(demo))
    stories.add(noise(demo))
    stories.add(customers_come(demo, stories, a_minute, FIRST_VISITS))
    stories.add(goods_arrive(demo, RESTOCK_EVERY), RESTOCK_EVERY)
    stories.add(_announce_stuck(client, url))


def _announce_stuck(client: ShopClient, url: str) -> Story:
    """Wait until every planned order is stuck, then print what they are."""
    wanted = {kind: sum(made.values()) for kind, made in TROUBLES.items()}
    while any(client.stuck().get(kind, 0) < count for kind, count in wanted.items()):
        yield 0.5
    print("\nStuck by now, and how each is healed:\n")
    for kind, count in wanted.items():
        print(f"  {kind:15} {count} orders   {HEALED_BY[kind]}")
    print(
        f"\nAll of them go on by themselves when their causes are lifted: curl -X DELETE {url}/dev/faults", flush=True
    )


def _print_intro(url: str, data: Path, keys: Credentials) -> None:
    lines = {
        "dashboard": f"{url}/dashboard",
        "log in as": keys.operator_name,
        "password": keys.operator_password,
        "data": str(data),
    }
    print("Shop Clerk: a shop with lively traffic, and some trouble. Ctrl-C ends it.\n")
    for name, value in lines.items():
        print(f"  {name:12} {value}")
    print("\nLook at the home page first: within half a minute it says what is stuck, why, and what it costs.")
    print("Click a cause, then an order: what is wrong, what happens by itself, and what you can do about it.")
    print(f"\nready {url}", flush=True)
