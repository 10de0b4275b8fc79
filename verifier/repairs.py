"""What puts a violation right: the repairs that `clerk repair` does by itself, and those that are left to people."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from verifier.facts import Facts


class RepairKind(Enum):
    """What `clerk repair` can do."""

    UNDO_AGAIN = "undo_again"
    """Ask a service once more to undo its part of an order that failed."""
    ASK_AGAIN = "ask_again"
    """Ask the Clerk's open question again, under the same message id."""
    LIST_ANEW = "list_anew"
    """Compute the columns that lists and figures are made of from the Clerk's state."""
    TELL_PARKED = "tell_parked"
    """Tell ShopManager once more of a message that a service has parked."""


@dataclass(frozen=True, slots=True)
class Repair:
    """`sentence` is for people. `kind` is what `clerk repair` does, None where people have to do it themselves.

    `service`: whose undo is asked, only with `RepairKind.UNDO_AGAIN`.
    """

    sentence: str
    kind: RepairKind | None = None
    service: str | None = None

    @property
    def is_safe(self) -> bool:
        """Does `clerk repair` do it?"""
        return self.kind is not None


def _undo(service: str, sentence: str) -> Repair:
    return Repair(f"clerk repair: {sentence}", RepairKind.UNDO_AGAIN, service)


RELEASE_CREDIT = _undo("risk", "give the reserved credit back (ReleaseCredit)")
RELEASE_STOCK = _undo("fulfillment", "put the goods back on the shelf (ReleaseStock)")
VOID_PAYMENT = _undo("payment", "give the money back, whatever of it was authorised or taken (VoidPayment)")
FORGET_ORDER = _undo("shop", "take the cart and the order away (CancelOrder)")
UNDO_AT = {"risk": RELEASE_CREDIT, "fulfillment": RELEASE_STOCK, "payment": VOID_PAYMENT, "shop": FORGET_ORDER}
"""By service: the undo of its part."""

ASK_AGAIN = Repair("clerk repair: ask the outstanding question again, under the same message id", RepairKind.ASK_AGAIN)
TELL_PARKED = Repair("clerk repair: tell ShopManager of the parked message again", RepairKind.TELL_PARKED)
LIST_ANEW = Repair("clerk repair: list the Clerk anew, as its own state says", RepairKind.LIST_ANEW)

BY_HAND = Repair("by hand: compare the rows with the Clerk's timeline (clerk show)")
WHEN_ENDED = Repair("none yet: look again when the Clerk has ended")
RESTORED = Repair("by hand: a database may have been restored from a backup that is older than the others")
"""Two databases tell different stories. Nothing is repaired by itself: people say which one is right."""


def undo_at(facts: Facts, service: str, otherwise: Repair = BY_HAND) -> Repair:
    """The repair of a service that still has something of an order that failed: its own undo, asked once more.

    This is safe at the end of a Clerk that failed, because there each service that was asked has to undo its part (U7).
    """
    if not facts.saga.ended:
        return WHEN_ENDED
    return UNDO_AT[service] if facts.failed and facts.has_undo_at(service) else otherwise
