"""The words for what a customer was told of an order: on the customer's page and on the order's (told.html)."""

from __future__ import annotations

PAYMENT = {
    "none": "nothing paid",
    "authorizing": "the card is being asked",
    "authorized": "reserved on the card",
    "captured": "paid",
    "voided": "reservation released",
    "refunded": "money returned",
}
FULFILLMENT = {"none": "", "reserved": "goods reserved", "shipped": "shipped", "released": "goods released"}
