"""An act that was sent when the login had ended: nothing is done, and what was typed comes back after the login.

The login page is the answer to the act itself, and holds the act's fields. It is sent to the act's own address: then
the page of the form is shown again, with everything that was typed (decision 127).
"""

from __future__ import annotations

import re

from fastapi import Request

from http_api.problems import Problem
from shop_manager.dashboard.csrf import FIELD
from shop_manager.dashboard.form_data import FormData

NAME, PASSWORD = "log_in_as", "log_in_with"
"""The fields of a login page that holds an act."""
_HELD = re.compile(
    r"/dashboard/(clerks/[^/]+/(actions|claim)|parked(/[^/]+)?/actions|bulk(/[^/]+/(start|stop))?|people(/.*)?)"
)
NOT_KEPT = frozenset({FIELD, NAME, PASSWORD})
NOT_YET = "Your login had ended; you are logged in again. Look, and send it once more."


def act_in(form: FormData) -> list[tuple[str, str]]:
    """The fields of the act, for a login page to hold."""
    return [(name, value) for name, value in form.pairs if name not in NOT_KEPT]


def is_held(path: str) -> bool:
    """Are the acts that are sent there held by a login page? Only those that call `raise_if_not_yet`."""
    return _HELD.fullmatch(path) is not None


def is_login(form: FormData) -> bool:
    """Is it a login page that holds an act?"""
    return PASSWORD in form


def raise_if_not_yet(request: Request) -> None:
    """Problem when somebody has just logged in where an act was sent: every act calls it before it does anything."""
    if getattr(request.state, "just_logged_in", False):
        raise Problem("not_allowed_now", NOT_YET)
