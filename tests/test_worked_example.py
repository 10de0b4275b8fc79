"""The README's worked example, executed from its very lines: a new step touches the process file and one service."""

from __future__ import annotations

import sys
from collections.abc import Iterator
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
from shop_manager.processes import Catalogue
from shop_manager.processes.definition import BadProcess
from shop_service.handlers import shop
from tests.test_readme import README, blocks
from tests.whole_shop import WholeShop

HANDLERS = Path(fulfillment_service.handlers.__file__)
BEHIND_RULES = "\n\ndef _no_locks("
LAST_LINE_OF_TABLE = '            ("DeliverOrder", 1): deliver_order,\n'


def lines_to_add() -> tuple[str, str, str]:
    """The README's three blocks: the process file, the rules, and their lines in the table."""
    process, rules, table = [content for language, content in blocks(README) if language == "python"]
    return process, rules, table


@pytest.fixture
def gift(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The tree as it is after following the README: one new file, and two places in the service's handlers."""
    process, rules, table = lines_to_add()
    folder = tmp_path / "new"
    folder.mkdir()
    (folder / "gift.py").write_text(process)
    (folder / "handlers.py").write_text(_with_lines(HANDLERS.read_text(), rules, table))
    monkeypatch.setattr(shop_manager.processes, "__path__", [*shop_manager.processes.__path__, str(folder)])
    monkeypatch.setattr(fulfillment_service.main, "fulfillment", _loaded(folder / "handlers.py").fulfillment)
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.startswith("shop_manager.processes."):
            del sys.modules[name]


def _with_lines(source: str, rules: str, table: str) -> str:
    assert source.count(BEHIND_RULES) == source.count(LAST_LINE_OF_TABLE) == 1
    source = source.replace(BEHIND_RULES, f"\n\n{rules}{BEHIND_RULES}")
    return source.replace(LAST_LINE_OF_TABLE, LAST_LINE_OF_TABLE + table)


def _loaded(path: Path) -> ModuleType:
    spec = spec_from_file_location("handlers_with_gifts", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def rules_of_services() -> dict[str, set[tuple[str, int]]]:
    """Every command that the services know, as they are put together now."""
    return {
        "shop": set(shop().rules),
        "risk": set(risk(RiskSettings()).rules),
        "payment": set(payment(lambda _sessions: None).rules),
        "fulfillment": set(vars(fulfillment_service.main)["fulfillment"](FulfillmentSettings()).rules),
    }


def test_every_command_that_a_process_asks_has_a_rule() -> None:
    Catalogue().check_handlers(rules_of_services())


def test_no_service_has_a_rule_that_no_process_asks() -> None:
    for service, rules in rules_of_services().items():
        asked = {each for process in Catalogue().by_reference.values() for each in process.commands().get(service, ())}
        assert rules == asked, service


@pytest.mark.usefixtures("gift")
def test_the_new_process_is_found_and_chosen_for_whom_it_is() -> None:
    catalogue = Catalogue()
    assert set(catalogue.by_reference) == {"standard/1", "invoice/1", "digital/1", "gift/1"}
    assert catalogue.choose("regular", "physical", allows_invoice=True).process.reference == "gift/1"
    assert catalogue.choose("guest", "physical", allows_invoice=True).process.reference == "standard/1"
    assert catalogue.choose("trusted", "physical", allows_invoice=True).process.reference == "invoice/1"


@pytest.mark.usefixtures("gift")
def test_the_service_knows_the_new_commands() -> None:
    Catalogue().check_handlers(rules_of_services())
    without = {**rules_of_services(), "fulfillment": set(fulfillment(FulfillmentSettings()).rules)}
    with pytest.raises(BadProcess, match=r"gift/1: fulfillment has no handler for UnwrapGift\.v1"):
        Catalogue().check_handlers(without)


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
