"""A drift: one place where the databases of the shop do not say what an invariant says, as a value."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Drift:
    """One broken invariant.

    `invariant` is its name ("I1" … "I18"); `clerk` the id of the Clerk, None when it concerns none in particular (a
    product's stock, an account's limit); `expected` and `found` are one line each; `repair` says what would put it
    right, and begins with the word `clerk repair` where that command does it.
    """

    invariant: str
    clerk: str | None
    expected: str
    found: str
    repair: str
