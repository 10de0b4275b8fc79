"""What is in the stores before a scenario begins, and the settings its participants are built with."""

from __future__ import annotations

from dataclasses import asdict

from domain.messages import SHOP_MANAGER
from fulfillment_service.settings import FulfillmentSettings
from fulfillment_service.stock import Stock
from fulfillment_service.store import stock
from payment_service.provider import Provider
from risk_service.settings import RiskSettings
from risk_service.store import accounts
from shop_manager import demo
from shop_manager.settings import ShopManagerSettings
from shop_service.catalogue import Product
from shop_service.store import products
from simulation.broker import SimulatedBroker
from simulation.database_hooks import NoHooks
from simulation.participants import Dependencies, WrapHandler
from simulation.scenario import DOWNLOADS, PRICES, Scenario
from simulation.stores import Stores

AUTO_AFTER = 1.0
"""Seconds after which the automatic warehouse ships."""
RISK = RiskSettings(_env_file=None)
MANAGER = ShopManagerSettings(_env_file=None)
WAREHOUSES = {
    "at_once": FulfillmentSettings(_env_file=None, warehouse="auto", auto_after=0),
    "auto": FulfillmentSettings(_env_file=None, warehouse="auto", auto_after=AUTO_AFTER),
    "by_hand": FulfillmentSettings(_env_file=None, warehouse="manual"),
}


def fill_stores(stores: Stores, scenario: Scenario) -> None:
    """Empty stores with the scenario's articles, stock and limits in them, at the beginning of time."""
    stores.hooks = NoHooks()
    stores.clock.restart()
    stores.empty()
    with stores.plain[SHOP_MANAGER].begin() as tx:
        demo.fill(tx)
    with stores.plain["shop"].begin() as tx:
        physical = [Product(sku, sku.title(), price, "EUR", "physical") for sku, price in PRICES.items()]
        digital = [Product(sku, sku.title(), price, "EUR", "digital") for sku, price in DOWNLOADS.items()]
        tx.insert(products, [asdict(product) for product in physical + digital])
    with stores.plain["fulfillment"].begin() as tx:
        tx.insert(stock, [asdict(Stock(sku, pieces)) for sku, pieces in scenario.stock.items()])
    with stores.plain["risk"].begin() as tx:
        limits = scenario.limits.items()
        rows = [{"customer": name, "credit_limit": limit, "outstanding": 0, "score": 500} for name, limit in limits]
        tx.insert(accounts, rows)


def dependencies(
    scenario: Scenario, broker: SimulatedBroker, stores: Stores, wrap: WrapHandler, provider: Provider
) -> Dependencies:
    return Dependencies(broker, stores.hooked, wrap, provider, WAREHOUSES[scenario.warehouse], MANAGER, RISK)
