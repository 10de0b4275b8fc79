"""`standard/1`: for everybody. The customer pays, then the goods are shipped."""

from domain.times import hours, minutes, seconds
from shop_manager.processes.definition import Pivot, Process, Step

STANDARD = Process("standard", version=1, steps=[
    Step("shopping", asks="shop", do="StartShopping", undo="CancelOrder", waits_for="customer"),
    Step("credit", asks="risk", do="ReserveCredit", undo="ReleaseCredit", within=seconds(60)),
    Step("payment", asks="payment", do="AuthorizePayment", undo="VoidPayment", waits_for="customer",
         within=minutes(15)),
    Step("stock", asks="fulfillment", do="AllocateStock", undo="ReleaseStock", within=seconds(60)),
    Pivot("capture", asks="payment", do="CapturePayment", within=seconds(60)),
    Step("shipping", asks="fulfillment", do="ShipOrder", waits_for="warehouse", within=hours(48)),
    Step("settle", asks="risk", do="SettleCredit", within=seconds(60)),
])  # fmt: skip
