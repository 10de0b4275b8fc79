"""An act that was sent when the login had ended: nothing is done, and what was typed comes back after the login.

The login page is the answer to the act itself, and holds the act's fields. It is sent to the act's own address: then
the page of the form is shown again, with everything that was typed (decision 127). Where a login leads over other
pages, an OpenID provider's or that of the password, the act comes back with `held.html`.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import orjson
from fastapi import Request

from http_api.problems import Problem
from shop_manager.dashboard.csrf import FIELD
from shop_manager.dashboard.form_data import FormData

NAME, PASSWORD = "log_in_as", "log_in_with"
"""The fields of a login page that holds an act."""
LOOK_FIRST = "look_first"
"""The field of a page that brings an act back to its form."""
HELD = "held"
"""The field in which another page holds an act as one text."""
LONGEST = 65_536
"""Characters of that text."""
_HELD = re.compile(
    r"/dashboard/(clerks/[^/]+/(actions|claim)|parked(/[^/]+)?/actions|bulk(/[^/]+/(start|stop))?|people(/.*)?|runbooks)"
)
NOT_KEPT = frozenset({FIELD, NAME, PASSWORD, LOOK_FIRST})
NOT_YET = "Your login had ended; you are logged in again. Look, and send it once more."
OLD_FORM = "The form was of an earlier login. Look, and send it once more."


class HeldAct(NamedTuple):
    """The address and the fields of an act that was not done."""

    path: str
    fields: list[tuple[str, str]]

    @property
    def text(self) -> str:
        return orjson.dumps([self.path, self.fields]).decode()


def held_act(request: Request) -> HeldAct | None:
    """The act that was sent with this request; None when it is none that is held, or has no fields."""
    form: FormData | None = getattr(request.state, "form", None)
    if not form or not is_held(request.url.path):
        return None
    fields = [(name, value) for name, value in form.pairs if name not in NOT_KEPT]
    return HeldAct(request.url.path, fields) if fields else None


def held_in(text: str | None) -> HeldAct | None:
    """The act in such a text; None when there is none."""
    try:
        path, fields = orjson.loads((text or "")[:LONGEST])
        known = HeldAct(path, [(name, value) for name, value in fields])
    except (ValueError, TypeError):
        return None
    are_texts = all(isinstance(part, str) for part in (path, *(part for pair in known.fields for part in pair)))
    return known if are_texts and is_held(path) else None


def is_held(path: str) -> bool:
    """Are the acts that are sent there held by a login page? Only those that call `raise_if_not_yet`."""
    return _HELD.fullmatch(path) is not None


def is_login(form: FormData) -> bool:
    """Is it a login page that holds an act?"""
    return PASSWORD in form


def raise_if_not_yet(request: Request) -> None:
    """Problem when an act has only come back to its form: every act calls it before it does anything."""
    why = getattr(request.state, "not_yet", "")
    if why:
        raise Problem("not_allowed_now", why)
