"""Puts the guards around an application, in the one order that is safe, and its errors into one form."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from fastapi import FastAPI

from doors.failures import handle_failures
from doors.frame import Frame
from doors.guards import BodyGuard, CardGuard, RateGuard
from doors.limits import Limits


def _nobody_known(_token: str) -> bool:
    return False


def furnish(
    app: FastAPI,
    *,
    limits: Limits,
    known: Callable[[str], bool] = _nobody_known,
    clock: Callable[[], float] = time.monotonic,
    forms_under: Sequence[str] = (),
) -> None:
    """From outside to inside: Frame, RateGuard, CardGuard, BodyGuard, the application.

    `known` is `KeyRing.known`; `clock` gives seconds; below `forms_under` HTML forms are taken as bodies.
    """
    handle_failures(app)
    app.add_middleware(BodyGuard, limits=limits, forms_under=forms_under)
    app.add_middleware(CardGuard)
    app.add_middleware(RateGuard, limits=limits, known=known, clock=clock)
    app.add_middleware(Frame)
