"""An act that was sent without a login, or with an earlier one: nothing is done, and what was typed comes back.

Without a login the login page is the answer to the act itself, and holds the act's fields. It is sent to the act's own
address: then the page of the form is shown again, with everything that was typed (decision 127). Where a login leads
over other pages, an OpenID provider's or that of the password, the act comes back with `held.html`. Where the page of
the form cannot show what was typed, `send_again.html` does (decision 150).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote, unquote

import orjson
from fastapi import Request

from http_api.problems import Problem
from shop_manager.dashboard.csrf import FIELD
from shop_manager.dashboard.form_data import FormData
from shop_manager.dashboard.return_paths import safe_return_path

EndpointT = TypeVar("EndpointT", bound=Callable[..., Any])
NAME, PASSWORD = "log_in_as", "log_in_with"
"""The fields of a login page that holds an act."""
LOOK_FIRST = "look_first"
"""The field of a page that brings an act back to its form."""
HELD = "held"
"""The field in which another page holds an act as one text."""
LONGEST = 65_536
"""Characters of that text."""
_AN_ADDRESS = re.compile(r"/dashboard(/[^/?#\\\\]+)+")
_NEVER_HELD = frozenset({"/dashboard/password"})
"""The fields of these are nothing that a page may hold."""
NOT_KEPT = frozenset({FIELD, NAME, PASSWORD, LOOK_FIRST})
SHOWS_ITS_FORM = "shows_its_form"
"""The mark of endpoints that show the page of their form with what was typed."""
NOT_YET = "Your login had ended; you are logged in again. Look, and send it once more."
OLD_LOGIN_PAGE = "This page was too old. Log in once more."
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
    fields = kept_fields(form)
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
    """Are the acts that are sent there held by a login page? All of ours but those with passwords."""
    leads_out = any(unquote(part) in (".", "..") for part in path.split("/"))
    is_ours = _AN_ADDRESS.fullmatch(path) is not None and safe_return_path(quote(path)) == quote(path)
    return is_ours and not leads_out and path not in _NEVER_HELD


def is_login(form: FormData) -> bool:
    """Is it a login page that holds an act?"""
    return PASSWORD in form


def raise_if_not_yet(request: Request) -> None:
    """Problem when an act has only come back to its form. A dependency of every act, but of those that show their form:
    these call it themselves before they do anything.
    """
    why = why_not_yet(request)
    if why:
        raise Problem("not_allowed_now", why)


def why_not_yet(request: Request) -> str:
    """Why the act has only come back; "" when it may be done."""
    return str(getattr(request.state, "not_yet", ""))


def shows_its_form(endpoint: EndpointT) -> EndpointT:
    """Marks an endpoint that calls `raise_if_not_yet` itself, and shows its form with what was typed."""
    setattr(endpoint, SHOWS_ITS_FORM, True)
    return endpoint


def kept_fields(form: FormData) -> list[tuple[str, str]]:
    """What was typed or chosen, without what belongs to the way it was sent."""
    return [(name, value) for name, value in form.pairs if name not in NOT_KEPT]
