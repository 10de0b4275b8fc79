"""`invoice/1`: for trusted customers of a shop that allows it. The goods are shipped, then the customer pays."""

from domain.times import days, hours, seconds
from shop_manager.processes.definition import Pivot, Process, Step, Suits

TRUSTED = Suits(customer_type="trusted", shop_type="physical", allows_invoice=True)
INVOICE = Process("invoice", version=1, suits=TRUSTED, steps=[
    Step("shopping", asks="shop", do="StartShopping", undo="CancelOrder", waits_for="customer"),
    Step("credit", asks="risk", do="ReserveCredit", undo="ReleaseCredit", within=seconds(60)),
    Step("stock", asks="fulfillment", do="AllocateStock", undo="ReleaseStock", within=seconds(60)),
    Pivot("shipping", asks="fulfillment", do="ShipOrder", waits_for="warehouse", within=hours(48)),
    Step("collect", asks="payment", do="CollectPayment", waits_for="customer", within=days(14),
         overdue="WriteOffPayment"),
    Step("settle", asks="risk", do="SettleCredit", within=seconds(60)),
])  # fmt: skip
