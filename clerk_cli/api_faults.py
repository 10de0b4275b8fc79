"""`/dev/faults`: the door to the switchboard of `clerk up --faults` (faults.md). Without the flag it does not exist.

It asks for no key: it is there for whoever started the shop on this very machine (docs/decisions/020).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator
from typing import Annotated, Any, Literal, get_args

from fastapi import APIRouter, Depends, Response, status
from pydantic import Field

from clerk_cli.faults import Fault, InForce, Kind, Switchboard
from clerk_cli.faults_known import Known
from clerk_cli.loopback import require_this_machine
from domain.messages import SHOP_MANAGER
from doors.answers import Body, page
from doors.problems import Problem, WrongField

Service = Literal["shop_manager", "shop", "risk", "payment", "fulfillment"]
What = Literal[Kind, "resume", "send_raw"]
SendRaw = Callable[[str, bytes, int], bool]
"""(service, bytes, how often) → has the broker taken all of them?"""

NARROWED = {"step", "name", "clerk", "attempt"}
COUNTED = NARROWED | {"times", "seconds"}
TAKES: dict[str, set[str]] = {
    "pause": NARROWED | {"seconds"},
    "resume": {"step", "name"},
    **dict.fromkeys(("drop_replies", "duplicate", "delay", "refuse", "fail_undo", "unsupported", "crash"), COUNTED),
    "send_raw": {"times", "bytes"},
}
"""Which fields each may have besides `service` and `fault`."""
NEEDS = {"delay": "seconds", "send_raw": "bytes"}
OF_SERVICES = {"drop_replies", "refuse", "fail_undo", "unsupported"}
"""ShopManager answers no commands: it has none of these."""

Name = Annotated[str, Field(min_length=1, max_length=128)]


class Wish(Body):
    """A fault to put in force (docs/faults.md), `resume`, or bytes to send."""

    service: Service
    fault: What
    step: Annotated[Name | None, Field(description="only messages of this step")] = None
    name: Annotated[Name | None, Field(description="only this command; of a crash also `process`")] = None
    clerk: Annotated[Name | None, Field(description="only messages of this Clerk, `clk_…`")] = None
    attempt: Annotated[int | None, Field(ge=1, le=1000, description="only this attempt")] = None
    times: Annotated[int | None, Field(ge=1, le=1000, description="how often; else until it is lifted")] = None
    seconds: Annotated[float | None, Field(gt=0, le=86_400, description="how long; of a delay: how late")] = None
    raw: Annotated[str | None, Field(alias="bytes", description="base64, for `send_raw`")] = None


def faults_router(board: Switchboard, known: Known, send_raw: SendRaw) -> APIRouter:
    """`POST`, `GET` and `DELETE /dev/faults`; what is asked is in force when the answer arrives."""
    router = APIRouter(prefix="/dev/faults", tags=["faults"], dependencies=[Depends(require_this_machine)])

    @router.post("", status_code=status.HTTP_201_CREATED)
    def put_fault(wish: Wish, response: Response) -> dict[str, Any]:
        """Put a fault in force (201), or `resume` a service or `send_raw` bytes to it (200)."""
        wrong = [*_wrong_fields(wish), *_wrong_names(wish, known)]
        if wrong:
            first = wrong[0]
            detail = f"{first['param']}: {first['detail']}"
            raise Problem("invalid_request", detail, param=first["param"], errors=wrong)
        if wish.fault in get_args(Kind):
            return shown(board.put(_fault(wish)), board.clock())
        response.status_code = status.HTTP_200_OK
        if wish.fault == "resume":
            board.resume(wish.service, wish.step, wish.name)
        elif not send_raw(wish.service, _bytes(wish) or b"", wish.times or 1):
            raise Problem("broker_unavailable")
        return listed(board)

    @router.get("")
    def list_faults() -> dict[str, Any]:
        """The faults in force; one that is used up or over is not among them."""
        return listed(board)

    @router.delete("")
    def lift_faults() -> dict[str, Any]:
        """Lift all of them."""
        board.lift()
        return listed(board)

    return router


def listed(board: Switchboard) -> dict[str, Any]:
    found = [shown(each, board.clock()) for each in board.in_force()]
    return page(found, len(found), None)


def shown(each: InForce, now: float) -> dict[str, Any]:
    """As it was asked for, and how it stands: `met` how often it acted, `left` and `seconds_left` what remains."""
    fault = each.fault
    endless = each.until == float("inf")
    return {
        "id": f"fault_{each.number}",
        "service": fault.service,
        "fault": fault.kind,
        "step": fault.step,
        "name": fault.name,
        "clerk": fault.clerk,
        "attempt": fault.attempt,
        "times": fault.times,
        "seconds": fault.seconds,
        "met": each.met,
        "left": each.left,
        "seconds_left": None if endless else round(max(0.0, each.until - now), 3),
    }


def _fault(wish: Wish) -> Fault:
    """A crash is one crash unless more are asked for: else its service would never get further."""
    kind = next(kind for kind in get_args(Kind) if kind == wish.fault)
    times = 1 if kind == "crash" and wish.times is None else wish.times
    return Fault(wish.service, kind, wish.step, wish.name, times, wish.seconds, wish.clerk, wish.attempt)


def _wrong_fields(wish: Wish) -> Iterator[WrongField]:
    given = {name for name in COUNTED if getattr(wish, name) is not None}
    given |= {"bytes"} if wish.raw is not None else set()
    if wish.service == SHOP_MANAGER and wish.fault in OF_SERVICES:
        yield _wrong("service", f"shop_manager answers no commands: {wish.fault} is for the four services")
    takes = TAKES[wish.fault]
    for name in sorted(given - takes):
        yield _wrong(name, f"not for {wish.fault}: allowed are {', '.join(sorted(takes))}")
    needed = NEEDS.get(wish.fault)
    if needed and needed not in given:
        yield _wrong(needed, f"{wish.fault} needs it")
    if "bytes" in given & takes and _bytes(wish) is None:
        yield _wrong("bytes", "it is not base64")


def _wrong_names(wish: Wish, known: Known) -> Iterator[WrongField]:
    """A step or a command that the service is never asked is a mistake: such a fault would meet nothing."""
    if wish.fault == "send_raw" or (wish.service == SHOP_MANAGER and wish.fault in OF_SERVICES):
        return
    kind: Kind = "pause" if wish.fault == "resume" else wish.fault
    wrong = known.wrong(Fault(wish.service, kind, wish.step, wish.name))
    if wrong:
        field, allowed = wrong
        yield _wrong(field, f"{wish.fault} at {wish.service} would never meet it: allowed are {', '.join(allowed)}")


def _wrong(field: str, detail: str) -> WrongField:
    return {"param": f"$.{field}", "detail": detail}


def _bytes(wish: Wish) -> bytes | None:
    try:
        return base64.b64decode(wish.raw or "", validate=True)
    except (binascii.Error, ValueError):
        return None
