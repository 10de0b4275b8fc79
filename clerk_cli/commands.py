# ruff: noqa: PLC0415  # a command imports what it needs when it runs, so that `clerk --help` and `up` start fast
"""Every command with its flags and its help; what it does is in the module that it calls."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from clerk_cli.bench_command import bench
from clerk_cli.broker_commands import broker_app
from clerk_cli.forget_command import forget_customer
from clerk_cli.key_commands import key_app
from clerk_cli.options import Data, DatabaseUrl, Json
from domain.version import VERSION

app = typer.Typer(
    help="Order sagas for shops: run the whole shop, place orders, and see how they go.",
    no_args_is_help=False,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
operator_app = typer.Typer(help="The people who may look after a shop.")
app.add_typer(operator_app, name="operator")
app.add_typer(key_app, name="key")
app.add_typer(broker_app, name="broker")
app.command()(bench)
app.command()(forget_customer)


class Warehouse(StrEnum):
    AUTO = "auto"
    MANUAL = "manual"


class Part(StrEnum):
    HTTP = "http"
    ENGINE = "engine"


class Role(StrEnum):
    VIEWER = "viewer"
    SUPPORT = "support"
    OPERATOR = "operator"
    ADMIN = "admin"


class Exhaustive(StrEnum):
    NONE = "none"
    SINGLE = "single"
    PAIRS = "pairs"


def _tell_version(wanted: bool) -> None:
    if wanted:
        print(f"clerk {VERSION}")
        raise typer.Exit


ShopUrl = Annotated[
    str | None,
    typer.Option(metavar="URL", help="Where the shop listens.", show_default="where --data's shop listened last"),
]
ServiceName = Annotated[
    str | None, typer.Argument(metavar="[SERVICE]", help="shop_manager, shop, risk, payment or fulfillment.")
]


@app.callback(invoke_without_command=True)
def clerk(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Say which version this is.")
    ] = False,
) -> None:
    """Order sagas for shops: run the whole shop, place orders, and see how they go.

    Try it: [bold]clerk up[/bold] in one terminal, [bold]clerk order SQUEAKY-BONE=2 --watch[/bold] in another.
    """
    if context.invoked_subcommand is None:
        from clerk_cli.errors import CliError

        raise CliError("which command? `clerk --help` lists them")


@app.command()
def up(
    *,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port to listen on; 0 takes a free one.")] = 8470,
    data: Annotated[Path, typer.Option(help="Where the SQLite files and the credentials are.")] = Path(".clerk"),
    warehouse: Annotated[
        Warehouse, typer.Option(help="auto ships by itself after a second, manual waits for the warehouse.")
    ] = Warehouse.AUTO,
    broker: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Use this RabbitMQ: amqp://USER@HOST:PORT/ (CLERK_BROKER_PASSWORD)"),
    ] = None,
    database: Annotated[
        str | None, typer.Option(metavar="URL", help="Use this PostgreSQL: postgresql://…/{service}")
    ] = None,
    faults: Annotated[
        bool, typer.Option("--faults", help="Let /dev/faults make things go wrong; on a loopback host only.")
    ] = False,
) -> None:
    """Run the whole shop in one process: for trying things out and for development.

    An empty data folder is filled with a small shop of squeaky dog toys. Ctrl-C stops it; nothing is lost, and the
    next [bold]clerk up[/bold] goes on where this one stopped.

    Examples: [bold]clerk up[/bold], [bold]clerk up --port 0 --data /tmp/shop --warehouse manual[/bold]
    """
    from clerk_cli.stopping import hold_signals

    hold_signals()
    from clerk_cli.up import UpFlags, run_up

    run_up(UpFlags(host, port, data, warehouse.value, broker, database, faults))


@app.command()
def demo(
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port to listen on; 0 takes a free one.")] = 8470,
    data: Annotated[
        Path | None, typer.Option(help="Where its files are.", show_default="a new folder, gone afterwards")
    ] = None,
    pace: Annotated[float, typer.Option(min=0.1, max=1200, help="How many orders a minute.")] = 40,
    seconds: Annotated[
        float | None, typer.Option(min=1, help="End by itself after so long.", show_default="until Ctrl-C")
    ] = None,
) -> None:
    """Run a shop with lively traffic and some trouble of every kind, to look at the dashboard.

    Customers order, pay, are declined, change their minds and leave; and some orders get stuck, in each of the five
    ways. It says where the dashboard is, how to log in, and what to look at. On this machine only.

    Examples: [bold]clerk demo[/bold], [bold]clerk demo --pace 200[/bold]
    """
    from clerk_cli.stopping import hold_signals

    hold_signals()
    from clerk_cli.demo.run import DemoFlags, run_demo

    run_demo(DemoFlags(port, data, pace, seconds))


@app.command()
def serve(
    service: Annotated[str, typer.Argument(help="shop_manager, shop, risk, payment or fulfillment.")],
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="The port to listen on; 0 takes a free one.")
    ] = None,
    host: Annotated[str | None, typer.Option(help="The address to listen on.")] = None,
    only: Annotated[
        Part | None, typer.Option(help="shop_manager only: answer HTTP calls, or take messages and keep deadlines.")
    ] = None,
) -> None:
    """Run one service, for real deployments. Its settings come from CLERK_* variables or a .env file.
    Weak ones are refused: docs/how-to/deploy.md says which, and how secrets come from files.

    It listens at once and waits for its database and broker; /health/ready says when it is ready. Any number of each
    service may run. The tables must be there: see [bold]clerk migrate[/bold].

    Example: [bold]CLERK_DATABASE_URL=postgresql://…/{service} clerk serve risk --port 8472[/bold]
    """
    from clerk_cli.lean_imports import do_without_terminals
    from clerk_cli.stopping import hold_signals

    hold_signals()
    do_without_terminals()
    from clerk_cli.serve import run_serve

    run_serve(service, host, port, only.value if only else None)


@app.command()
def migrate(
    service: ServiceName = None, database: DatabaseUrl = None, data: Data = None, as_json: Json = False
) -> None:
    """Create or upgrade the tables of one service, or of all; and RabbitMQ's exchanges and queues, where told to.

    Where the tables are says --database, --data or CLERK_DATABASE_URL. A PostgreSQL URL without {service} is one
    database for all: each service then gets a schema of its own. Exchanges and queues are declared with the account of
    CLERK_BROKER_OWNER_URL, if that is set: services whose users may configure nothing need them.

    A password belongs into CLERK_DATABASE_PASSWORD or the file that CLERK_DATABASE_PASSWORD_FILE names.

    Example: [bold]CLERK_DATABASE_PASSWORD_FILE=… clerk migrate --database postgresql://owner@127.0.0.1/{service}[/bold]
    """
    from clerk_cli.migrate import run_migrate

    run_migrate(service, database, data, as_json)


@app.command()
def order(
    items: Annotated[list[str], typer.Argument(metavar="SKU=QTY…", help="What to order, for example SQUEAKY-BONE=2.")],
    *,
    customer: Annotated[str | None, typer.Option(metavar="ID", help="A customer of the shop; else a guest.")] = None,
    token: Annotated[str, typer.Option(help="The payment token, for example tok_ok or tok_declined.")] = "tok_ok",  # noqa: S107  # a name of the test provider's, no secret
    shop: Annotated[str | None, typer.Option(metavar="ID", help="In which shop; else the usual one.")] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Stay, and show each step as it happens.")] = False,
    url: ShopUrl = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Place an order over the API.

    With --watch the exit code is 0 when the order was completed and 1 when it ended in any other way.

    Examples: [bold]clerk order SQUEAKY-BONE=2 --watch[/bold],
    [bold]clerk order SQUEAKY-BONE=1 --token tok_declined --watch[/bold]
    """
    from clerk_cli.order import OrderRequest, run_order

    run_order(OrderRequest(items, customer, token, shop), watch=watch, url=url, data=data, as_json=as_json)


@app.command(name="list")
def list_clerks(
    *,
    stuck: Annotated[bool, typer.Option("--stuck", help="Only those that need a person or a repair.")] = False,
    status: Annotated[str | None, typer.Option(help="Only those of this status, for example completed.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many at most.")] = 50,
    url: ShopUrl = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List Clerks: the orders, newest first, where they are and what they wait for.

    The operator's key is that of --data, or of CLERK_OPERATOR_KEY.

    Example: [bold]clerk list --stuck[/bold]
    """
    from clerk_cli.inspect_clerks import run_list

    run_list(stuck=stuck, status=status, limit=limit, url=url, data=data, as_json=as_json)


@app.command()
def show(
    clerk: Annotated[str, typer.Argument(metavar="ID", help="The Clerk's id, clk_….")],
    url: ShopUrl = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Show one Clerk: where it is, and its timeline.

    Example: [bold]clerk show clk_0193…[/bold]
    """
    from clerk_cli.inspect_clerks import run_show

    run_show(clerk, url=url, data=data, as_json=as_json)


@app.command()
def verify(
    *,
    secrets: Annotated[
        bool, typer.Option("--secrets", help="Also read every text there is, for card numbers and keys (I16): slow.")
    ] = False,
    database: DatabaseUrl = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Check every invariant over all services' databases, also while the shop is running; only the outcome is kept.

    Each drift says which invariant, which Clerk, what was expected and found, and what would repair it. The exit code
    is 0 when all is clean, and 1 when there is a drift.

    Always checked are I1 to I14 and I18, with --secrets I16 too. What a database cannot show is checked in fault runs
    only: I15 (parked is exactly what was put in), I17 (nothing leaks), and of I13 what clients were told.
    verifier/README.md says what each means.

    Examples: [bold]clerk verify[/bold], [bold]clerk verify --json --database postgresql://…/{service}[/bold]
    """
    from clerk_cli.verify import run_verify

    run_verify(secrets=secrets, database=database, data=data, as_json=as_json)


@app.command()
def repair(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would be done.")] = False,
    database: DatabaseUrl = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Verify, and repair what is safe: as ordinary commands, with a note in the Clerk's history; the rest is listed.

    Safe is to ask a service once more to undo its part of an order that came to nothing, to ask an outstanding question
    again, to tell ShopManager of a parked message again, and to list a Clerk anew. It works while the shop is running
    and while it is not. The exit code is 0 when no drift is left, and 1 when one is.

    Example: [bold]clerk repair --dry-run[/bold]
    """
    from clerk_cli.repair import run_repair

    run_repair(dry_run=dry_run, database=database, data=data, as_json=as_json)


@app.command()
def simulate(
    *,
    seeds: Annotated[
        int | None,
        typer.Option(min=1, max=10_000_000, help="How many seeds to play.", show_default="1000; 1 with --seed"),
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, max=2**53, help="The first seed, or the only one.")] = None,
    exhaustive: Annotated[
        Exhaustive, typer.Option(help="A crash at every call of the base scenarios; pairs: also two crashes.")
    ] = Exhaustive.NONE,
    most: Annotated[
        int | None, typer.Option(min=1, help="At most so many of the exhaustive cases, evenly spread over all.")
    ] = None,
    sqlite: Annotated[bool, typer.Option("--sqlite", help="Over real SQLite files instead of memory.")] = False,
    replay: Annotated[Path | None, typer.Option(metavar="FILE", help="Play a kept schedule once more.")] = None,
    keep: Annotated[Path, typer.Option(metavar="FOLDER", help="Where the schedules of failures are kept.")] = Path(
        "simulation-failures"
    ),
    wrong_builds: Annotated[
        bool, typer.Option("--wrong-builds", help="Check the checker: each wrong build must be found out.")
    ] = False,
    workers: Annotated[
        int | None, typer.Option(min=1, max=256, help="Processes to play in.", show_default="one a core")
    ] = None,
    as_json: Json = False,
) -> None:
    """Play the whole shop in simulated time, with crashes, lost, late and doubled messages, and check the invariants.

    The rules, handlers and workers are those of production; clock, broker, stores, provider and people are simulated.
    The same seed is the same run everywhere. The exit code is 1 when an invariant did not hold: each failure is told
    with its smallest schedule of faults, a chart of its messages, and the command that plays it again.

    Examples: [bold]clerk simulate --seeds 200[/bold], [bold]clerk simulate --seed 17[/bold],
    [bold]clerk simulate --exhaustive single[/bold], [bold]clerk simulate --wrong-builds[/bold]
    """
    from clerk_cli.simulate import SimulateFlags, run_simulate, run_wrong_builds

    if wrong_builds:
        run_wrong_builds(workers, as_json)
    else:
        run_simulate(SimulateFlags(seeds, seed, exhaustive.value, most, sqlite, replay, keep, workers, as_json))


@app.command()
def settings(service: ServiceName = None, as_json: Json = False) -> None:
    """Print the effective settings of one service or of all; passwords and other secrets are masked.

    Example: [bold]clerk settings risk[/bold]
    """
    from clerk_cli.settings_shown import show_settings

    show_settings(service, as_json)


@operator_app.command("add")
def add_operator(
    name: Annotated[str, typer.Argument(help="The name to log in with.")],
    *,
    role: Annotated[
        Role,
        typer.Option(help="viewer sees, support notes and cancels, operator acts, admin manages people and keys."),
    ],
    long: Annotated[
        bool,
        typer.Option("--long", help="For a screen on a wall: stays logged in while its page is open; viewers only."),
    ] = False,
    database: DatabaseUrl = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Add an operator. The password (for the dashboard) and the key (for scripts) are shown this once.

    The first login has to choose another password, and until then the key opens nothing. One who is there already gets
    a new role, password and key; the key before opens nothing any more.

    Examples: [bold]clerk operator add nora --role operator[/bold],
    [bold]clerk operator add wall --role viewer --long[/bold]
    """
    from clerk_cli.credentials import NewOperator, run_add_operator

    run_add_operator(NewOperator(name, role.value, long), database, data, as_json)
