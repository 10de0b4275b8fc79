"""The five services, by the name that people and URLs use; their packages are imported only when needed."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from clerk_cli.errors import CliError

if TYPE_CHECKING:
    from sqlalchemy import MetaData

    from messaging.settings import ServiceSettings


@dataclass(frozen=True, slots=True)
class Service:
    """`name` as in queues and databases, `package` its code, `settings_name` its settings class."""

    name: str
    package: str
    settings_name: str

    def module(self, name: str) -> Any:
        """One of its modules, e.g. `main` or `settings`."""
        return import_module(f"{self.package}.{name}")

    @property
    def metadata(self) -> MetaData:
        """Its tables."""
        found: MetaData = self.module("migrations").metadata
        return found

    def settings_class(self) -> type[ServiceSettings]:
        found: type[ServiceSettings] = getattr(self.module("settings"), self.settings_name)
        return found


SERVICES = (
    Service("shop_manager", "shop_manager", "ShopManagerSettings"),
    Service("shop", "shop_service", "ShopSettings"),
    Service("risk", "risk_service", "RiskSettings"),
    Service("payment", "payment_service", "PaymentSettings"),
    Service("fulfillment", "fulfillment_service", "FulfillmentSettings"),
)
NAMES = tuple(service.name for service in SERVICES)


def the_service(name: str) -> Service:
    """The service of that name; CliError lists the names there are."""
    for service in SERVICES:
        if service.name == name:
            return service
    raise CliError(f"service {name!r} is unknown: allowed are {', '.join(NAMES)}")


def chosen(name: str | None) -> tuple[Service, ...]:
    """One service, or all of them when none is named."""
    return SERVICES if name is None else (the_service(name),)
