"""What `clerk repair` can do, each by the one sentence that a drift's `repair` says; all the rest is for people."""

from __future__ import annotations

RELEASE_CREDIT = "clerk repair: give the reserved credit back (ReleaseCredit)"
RELEASE_STOCK = "clerk repair: put the goods back on the shelf (ReleaseStock)"
VOID_PAYMENT = "clerk repair: give the money back, whatever of it was authorised or taken (VoidPayment)"
FORGET_ORDER = "clerk repair: take the cart and the order away (CancelOrder)"
ASK_AGAIN = "clerk repair: ask the outstanding question again, under the same message id"
TELL_PARKED = "clerk repair: tell ShopManager of the parked message again"

SAFE = frozenset({RELEASE_CREDIT, RELEASE_STOCK, VOID_PAYMENT, FORGET_ORDER, ASK_AGAIN, TELL_PARKED})
BY_HAND = "by hand: compare the rows with the Clerk's timeline (clerk show)"
WHEN_ENDED = "none yet: look again when the Clerk has ended"
RESTORED = "by hand: a database may have been restored from a backup that is older than the others"
"""Nothing is repaired silently there: which side is right is for people to say."""
