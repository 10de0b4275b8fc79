"""The model of who looks after a stuck Clerk, as every line of a Clerk has it."""

from __future__ import annotations

from http_api.answers import Answer, Moment


class ClaimShown(Answer):
    """Who looks after a stuck Clerk."""

    who: str
    since: Moment
    snoozed_until: Moment | None
