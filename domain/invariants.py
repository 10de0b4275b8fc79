"""The invariants by name, and where each is checked: by every `clerk verify`, on request, or in fault runs only."""

from __future__ import annotations

from typing import Literal

Where = Literal["always", "on request", "fault runs"]
INVARIANTS: dict[str, tuple[str, Where]] = {
    "I1": ("every Clerk has ended, or waits for exactly one live reason", "always"),
    "I2": ("one end for each Clerk, and nothing but notes after it", "always"),
    "I3": ("money: the Clerk, the payment and the provider's book come to the same", "always"),
    "I4": ("stock: what is reserved and shipped is what the orders have, and never less than nothing", "always"),
    "I5": ("credit: held for live Clerks only, and within the limit", "always"),
    "I6": ("a session that did not complete leaves nothing at shop and risk", "always"),
    "I7": ("one effect for each step, one entry of the provider for each key", "always"),
    "I8": ("every message was asked for, and is handled, parked or outstanding", "always"),
    "I9": ("the history is numbered without gaps, legal, and folds to the stored state", "always"),
    "I10": ("undone in reverse order, all that was asked, and nothing after the pivot", "always"),
    "I11": ("a section is changed by its owner only", "always"),
    "I12": ("each deadline took effect or was disarmed", "always"),
    "I13": ("what was answered under an Idempotency-Key is true", "always"),
    "I14": ("the Clerk and the services' rows agree, field by field", "always"),
    "I15": ("parked is exactly what was put in", "fault runs"),
    "I16": ("no card number and no secret in any database", "on request"),
    "I17": ("connections, threads, files and memory are back to where they were", "fault runs"),
    "I18": ("lists and figures are what the Clerks say", "always"),
}


def checked(*where: Where) -> list[str]:
    """The names of those checked there, in order."""
    return [name for name, (_, at) in INVARIANTS.items() if at in where]
