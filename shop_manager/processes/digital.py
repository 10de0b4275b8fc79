"""`digital/1`: for digital shops. Nothing is in stock and nothing is shipped: what is paid is delivered at once."""

from domain.times import minutes, seconds
from shop_manager.processes.definition import Pivot, Process, Step, Suits

DIGITAL = Process("digital", version=1, suits=Suits(shop_type="digital"), steps=[
    Step("shopping", asks="shop", do="StartShopping", undo="CancelOrder", waits_for="customer"),
    Step("credit", asks="risk", do="ReserveCredit", undo="ReleaseCredit", within=seconds(60)),
    Step("payment", asks="payment", do="AuthorizePayment", undo="VoidPayment", waits_for="customer",
         within=minutes(15)),
    Pivot("capture", asks="payment", do="CapturePayment", within=seconds(60)),
    Step("delivery", asks="fulfillment", do="DeliverOrder", within=seconds(60)),
    Step("settle", asks="risk", do="SettleCredit", within=seconds(60)),
])  # fmt: skip
