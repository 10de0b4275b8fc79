"""What `clerk repair` can do, each by the one sentence that a drift's `repair` says; all the rest is for people."""

from __future__ import annotations

from verifier.facts import Facts

RELEASE_CREDIT = "clerk repair: give the reserved credit back (ReleaseCredit)"
RELEASE_STOCK = "clerk repair: put the goods back on the shelf (ReleaseStock)"
VOID_PAYMENT = "clerk repair: give the money back, whatever of it was authorised or taken (VoidPayment)"
FORGET_ORDER = "clerk repair: take the cart and the order away (CancelOrder)"
ASK_AGAIN = "clerk repair: ask the outstanding question again, under the same message id"
TELL_PARKED = "clerk repair: tell ShopManager of the parked message again"

LIST_ANEW = "clerk repair: list the Clerk anew, as its own state says"

UNDO_AT = {"risk": RELEASE_CREDIT, "fulfillment": RELEASE_STOCK, "payment": VOID_PAYMENT, "shop": FORGET_ORDER}
"""The repair that is the undo of a service's part."""
SAFE = frozenset({*UNDO_AT.values(), ASK_AGAIN, TELL_PARKED, LIST_ANEW})
BY_HAND = "by hand: compare the rows with the Clerk's timeline (clerk show)"
WHEN_ENDED = "none yet: look again when the Clerk has ended"
RESTORED = "by hand: a database may have been restored from a backup that is older than the others"
"""Nothing is repaired silently there: which side is right is for people to say."""


def undo_at(facts: Facts, service: str, otherwise: str = BY_HAND) -> str:
    """What repairs a service that keeps something of an order which came to nothing: its own undo, asked once more.

    That is safe at the end of a Clerk that failed, where everybody who was asked has to put his part back (U7).
    """
    if not facts.saga.ended:
        return WHEN_ENDED
    return UNDO_AT[service] if facts.failed and facts.has_undo_at(service) else otherwise
