"""docs/tutorial/first-own-step.md, executed line by line: a new step touches the process file and one service."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

import fulfillment_service.main
import shop_manager.processes
from fulfillment_service.handlers import fulfillment
from fulfillment_service.settings import FulfillmentSettings
from payment_service.handlers import payment
from risk_service.handlers import risk
from risk_service.settings import RiskSettings
from shop_manager.processes import ProcessRegistry
from shop_manager.processes.definition import Pivot, Process, Step
from shop_service.handlers import shop
from tests.pages import DOCS, ROOT, blocks, check, clerk_up, executed
from tests.test_docs import commands_in_console_blocks
from tests.whole_shop import WholeShop

HANDLERS = Path(fulfillment_service.handlers.__file__)
PAGE = (DOCS / "tutorial" / "first-own-step.md").read_text()
BEHIND_HANDLERS = "\n\ndef fulfillment("
LAST_LINE_OF_TABLE = '            ("DeliverOrder", 1): deliver_order,\n'


def lines_to_add() -> tuple[str, str, str]:
    """The page's three blocks: the process file, the handlers, and their lines in the table."""
    process, handlers, table = [content for language, content in blocks(PAGE) if language == "python"]
    return process, handlers, table


@pytest.fixture
def gift(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The tree as it is after following the page: one new file, and two places in the service's handlers."""
    process, handlers, table = lines_to_add()
    folder = tmp_path / "new"
    folder.mkdir()
    (folder / "gift.py").write_text(process)
    (folder / "handlers.py").write_text(_with_lines(HANDLERS.read_text(), handlers, table))
    monkeypatch.setattr(shop_manager.processes, "__path__", [*shop_manager.processes.__path__, str(folder)])
    monkeypatch.setattr(fulfillment_service.main, "fulfillment", _loaded(folder / "handlers.py").fulfillment)
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.startswith("shop_manager.processes."):
            del sys.modules[name]


def _with_lines(source: str, handlers: str, table: str) -> str:
    assert source.count(BEHIND_HANDLERS) == source.count(LAST_LINE_OF_TABLE) == 1
    source = source.replace(BEHIND_HANDLERS, f"\n\n{handlers}{BEHIND_HANDLERS}")
    return source.replace(LAST_LINE_OF_TABLE, LAST_LINE_OF_TABLE + table)


def _loaded(path: Path) -> ModuleType:
    spec = spec_from_file_location("handlers_with_gifts", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def handlers_of_services() -> dict[str, set[tuple[str, int]]]:
    """Every command that the services know, as they are put together now."""
    return {
        "shop": set(shop().handlers),
        "risk": set(risk(RiskSettings()).handlers),
        "payment": set(payment(lambda _sessions: None).handlers),
        "fulfillment": set(vars(fulfillment_service.main)["fulfillment"](FulfillmentSettings()).handlers),
    }


def without_handler(processes: ProcessRegistry, handled: Mapping[str, set[tuple[str, int]]]) -> list[str]:
    """Each command that a process asks of a service which does not know it, in a sentence."""
    return [
        f"process {process.reference}: {service} has no handler for {name}.v{version}"
        for process in processes.by_reference.values()
        for service, commands in process.commands().items()
        for name, version in sorted(commands - handled.get(service, set()))
    ]


def test_a_command_that_no_service_handles_is_named() -> None:
    new = Process(
        "new", 1, [Step("begin", asks="shop", do="Begin", undo="Unbegin"), Pivot("take", asks="payment", do="Take")]
    )
    handled = {"shop": {("Begin", 1), ("Unbegin", 1)}}
    assert without_handler(ProcessRegistry([new]), handled) == ["process new/1: payment has no handler for Take.v1"]


def test_every_command_that_a_process_asks_has_a_handler() -> None:
    assert without_handler(ProcessRegistry(), handlers_of_services()) == []


def test_no_service_has_a_handler_that_no_process_asks() -> None:
    for service, handlers in handlers_of_services().items():
        asked = {
            each for process in ProcessRegistry().by_reference.values() for each in process.commands().get(service, ())
        }
        assert handlers == asked, service


@pytest.mark.usefixtures("gift")
def test_the_new_process_is_found_and_chosen_for_whom_it_is() -> None:
    processes = ProcessRegistry()
    assert set(processes.by_reference) == {"standard/1", "invoice/1", "digital/1", "gift/1"}
    assert processes.choose("regular", "physical", allows_invoice=True).process.reference == "gift/1"
    assert processes.choose("guest", "physical", allows_invoice=True).process.reference == "standard/1"
    assert processes.choose("trusted", "physical", allows_invoice=True).process.reference == "invoice/1"


@pytest.mark.usefixtures("gift")
def test_the_service_knows_the_new_commands() -> None:
    assert without_handler(ProcessRegistry(), handlers_of_services()) == []
    before = {**handlers_of_services(), "fulfillment": set(fulfillment(FulfillmentSettings()).handlers)}
    missing = without_handler(ProcessRegistry(), before)
    assert "process gift/1: fulfillment has no handler for UnwrapGift.v1" in missing


@pytest.mark.usefixtures("gift")
def test_a_gift_is_wrapped_on_its_way_or_everything_is_undone(tmp_path: Path) -> None:
    with WholeShop(tmp_path) as shop_in_house:
        wrapped = shop_in_house.order(customer="ada", quantity=2)
        assert (wrapped["process"], wrapped["status"]) == ("gift/1", "completed")
        document = shop_in_house.ask("GET", f"/shop/session/{wrapped['id']}/clerk", shop_in_house.server_key)
        assert document["shipment"]["wrapped"] is True
        assert document["shipment"]["status"] == "shipped"

        too_many = shop_in_house.order(customer="ada", quantity=11)
        assert (too_many["status"], too_many["failure"]["code"]) == ("failed", "too_many_to_wrap")
        assert shop_in_house.went_through(too_many["id"]) == [
            "shopping done", "credit done", "payment done", "stock done", "wrapping refused",
            "stock undone", "payment undone", "credit undone", "shopping undone",
        ]  # fmt: skip

        declined = shop_in_house.order(customer="ada", token="tok_capture_refused")
        assert (declined["status"], declined["failure"]["code"]) == ("failed", "capture_refused")
        assert shop_in_house.went_through(declined["id"]) == [
            "shopping done", "credit done", "payment done", "stock done", "wrapping done", "capture refused",
            "wrapping undone", "stock undone", "payment undone", "credit undone", "shopping undone",
        ]  # fmt: skip

        stock = shop_in_house.ask("GET", "/fulfillment/stock/SQUEAKY-BONE", shop_in_house.server_key)
        assert (stock["on_hand"], stock["reserved"], stock["shipped"]) == (998, 0, 2)
        credit = shop_in_house.ask("GET", "/risk/customers/ada", shop_in_house.server_key)
        assert credit["reserved"] == 0


def test_every_block_of_the_page_does_what_is_printed_behind_it(tmp_path: Path) -> None:
    """On a copy of the code with the page's lines in it, as a reader has it."""
    code = tmp_path / "code"
    _copy_code(code)
    process, handlers, table = lines_to_add()
    (code / "shop_manager" / "processes" / "gift.py").write_text(process)
    changed = code / "fulfillment_service" / "handlers.py"
    changed.write_text(_with_lines(changed.read_text(), handlers, table))
    [start] = [words for words in commands_in_console_blocks(PAGE) if words[0] == "clerk"]
    assert start == ["clerk", "up", "--data", ".clerk/gift"]
    with clerk_up(code, *start[2:], code=code) as url:
        check(executed(PAGE), code, url, code=code)


def _copy_code(folder: Path) -> None:
    """What a shop runs on: what is changed is copied, the rest is only linked to."""
    folder.mkdir()
    for package in {path.parent for path in ROOT.glob("*/__init__.py")}:
        if package.name in ("shop_manager", "fulfillment_service"):
            shutil.copytree(package, folder / package.name, ignore=shutil.ignore_patterns("tests", "__pycache__"))
        else:
            (folder / package.name).symlink_to(package)
    shutil.copytree(DOCS / "messages", folder / "docs" / "messages")


def test_the_page_says_where_its_lines_belong() -> None:
    test, *files = re.findall(r"`(\w+(?:/\w+)+\.py)`", PAGE)
    assert ROOT / test == Path(__file__)
    assert files == ["shop_manager/processes/gift.py", "fulfillment_service/handlers.py"]
