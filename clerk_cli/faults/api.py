"""`/dev/faults`: the HTTP API of the switchboard of `clerk up --faults` (docs/faults.md), absent without that flag.

It needs no key: it is for whoever started the shop, on this machine only (docs/decisions/020).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator
from typing import Annotated, Any, Literal, get_args

from fastapi import APIRouter, Depends, Response, status
from pydantic import Field

from clerk_cli.faults.known_commands import KnownCommands
from clerk_cli.faults.switchboard import (
    ActiveFault,
    Fault,
    FaultKind,
    Switchboard,
)
from clerk_cli.loopback import require_this_machine
from domain.messages import SHOP_MANAGER
from http_api.answers import Answer, Page
from http_api.conventions import Body, example, page
from http_api.documented import documented
from http_api.problems import Problem, WrongField
from http_api.routes import Routes

TargetService = Literal["shop_manager", "shop", "risk", "payment", "fulfillment"]
FaultAction = Literal[FaultKind, "resume", "send_raw"]
SendRaw = Callable[[str, bytes, int, str | None], bool]
"""(service, bytes, how often, as which service) → has the broker taken all of them?"""

NARROWED = {"step", "name", "clerk", "attempt"}
COUNTED = NARROWED | {"times", "seconds"}
TAKES: dict[str, set[str]] = {
    "pause": NARROWED | {"seconds"},
    "resume": {"step", "name"},
    **dict.fromkeys(("drop_replies", "duplicate", "delay", "refuse", "fail_undo", "unsupported", "crash"), COUNTED),
    "send_raw": {"times", "bytes", "sender"},
}
"""Which fields each may have besides `service` and `fault`."""
NEEDS = {"delay": "seconds", "send_raw": "bytes"}
OF_SERVICES = {"drop_replies", "refuse", "fail_undo", "unsupported"}
"""Faults of handling commands, which ShopManager does not do."""

MatchText = Annotated[str, Field(min_length=1, max_length=128)]


class FaultRequest(Body):
    """A fault to put in force (docs/faults.md), `resume`, or bytes to send."""

    model_config = example({"service": "risk", "fault": "delay", "step": "credit", "seconds": 2.5, "times": 3})

    service: TargetService
    fault: FaultAction
    step: Annotated[MatchText | None, Field(description="only messages of this step")] = None
    name: Annotated[MatchText | None, Field(description="only this command; of a crash also `process`")] = None
    clerk: Annotated[MatchText | None, Field(description="only messages of this Clerk, `clk_…`")] = None
    attempt: Annotated[int | None, Field(ge=1, le=1000, description="only this attempt")] = None
    times: Annotated[int | None, Field(ge=1, le=1000, description="how often; else until it is lifted")] = None
    seconds: Annotated[float | None, Field(gt=0, le=86_400, description="how long; of a delay: how late")] = None
    raw: Annotated[str | None, Field(alias="bytes", description="base64, for `send_raw`")] = None
    sender: Annotated[TargetService | None, Field(description="as which service, for `send_raw`")] = None


class FaultInForce(Answer):
    """A fault as it was requested, and how far it is used up."""

    id: str
    service: TargetService
    fault: FaultKind
    step: str | None
    name: str | None
    clerk: str | None
    attempt: int | None
    times: int | None
    seconds: float | None
    met: Annotated[int, Field(description="how often it acted")]
    left: Annotated[int | None, Field(description="how often it will act still")]
    seconds_left: float | None


def faults_router(board: Switchboard, known: KnownCommands, send_raw: SendRaw) -> APIRouter:
    """`POST`, `GET` and `DELETE /dev/faults`; a change is in force when the response arrives."""
    router = Routes(prefix="/dev/faults", tags=["faults"], dependencies=[Depends(require_this_machine)])

    @router.post(
        "",
        status_code=status.HTTP_201_CREATED,
        **documented(
            FaultInForce,
            201,
            says="It is in force.",
            other={200: (Page[FaultInForce], "It is done; the faults in force.")},
            problems=["forbidden", "broker_unavailable"],
        ),
    )
    def put_fault(asked: FaultRequest, response: Response) -> dict[str, Any]:
        """Put a fault in force (201), or `resume` a service or `send_raw` bytes to it (200)."""
        wrong = [*_wrong_fields(asked), *_wrong_names(asked, known)]
        if wrong:
            first = wrong[0]
            detail = f"{first['param']}: {first['detail']}"
            raise Problem("invalid_request", detail, param=first["param"], errors=wrong)
        if asked.fault in get_args(FaultKind):
            return shown(board.put(_fault(asked)), board.clock())
        response.status_code = status.HTTP_200_OK
        if asked.fault == "resume":
            board.resume(asked.service, asked.step, asked.name)
        elif not send_raw(asked.service, _bytes(asked) or b"", asked.times or 1, asked.sender):
            raise Problem("broker_unavailable")
        return listed(board)

    @router.get("", **documented(Page[FaultInForce], says="The faults in force.", problems=["forbidden"]))
    def list_faults() -> dict[str, Any]:
        """The faults in force; one that is used up or over is not among them."""
        return listed(board)

    @router.delete("", **documented(Page[FaultInForce], says="None is in force.", problems=["forbidden"]))
    def lift_faults() -> dict[str, Any]:
        """Lift all of them."""
        board.lift()
        return listed(board)

    return router


def listed(board: Switchboard) -> dict[str, Any]:
    found = [shown(each, board.clock()) for each in board.in_force()]
    return page(found, len(found), None)


def shown(each: ActiveFault, now: float) -> dict[str, Any]:
    """The fault as requested, and its state: `met` how often it acted, `left` and `seconds_left` what remains."""
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


def _fault(asked: FaultRequest) -> Fault:
    """A crash happens once unless `times` says more: else its service would die again at every restart."""
    kind = next(kind for kind in get_args(FaultKind) if kind == asked.fault)
    times = 1 if kind == "crash" and asked.times is None else asked.times
    return Fault(asked.service, kind, asked.step, asked.name, times, asked.seconds, asked.clerk, asked.attempt)


def _wrong_fields(asked: FaultRequest) -> Iterator[WrongField]:
    given = {name for name in COUNTED if getattr(asked, name) is not None}
    given |= {"bytes"} if asked.raw is not None else set()
    given |= {"sender"} if asked.sender is not None else set()
    if asked.service == SHOP_MANAGER and asked.fault in OF_SERVICES:
        yield _wrong("service", f"shop_manager answers no commands: {asked.fault} is for the four services")
    takes = TAKES[asked.fault]
    for name in sorted(given - takes):
        yield _wrong(name, f"not for {asked.fault}: allowed are {', '.join(sorted(takes))}")
    needed = NEEDS.get(asked.fault)
    if needed and needed not in given:
        yield _wrong(needed, f"{asked.fault} needs it")
    if "bytes" in given & takes and _bytes(asked) is None:
        yield _wrong("bytes", "it is not base64")


def _wrong_names(asked: FaultRequest, known: KnownCommands) -> Iterator[WrongField]:
    """A step or command that no process sends to the service is a mistake: such a fault would never meet a message."""
    if asked.fault == "send_raw" or (asked.service == SHOP_MANAGER and asked.fault in OF_SERVICES):
        return
    kind: FaultKind = "pause" if asked.fault == "resume" else asked.fault
    wrong = known.wrong(Fault(asked.service, kind, asked.step, asked.name))
    if wrong:
        field, allowed = wrong
        yield _wrong(field, f"{asked.fault} at {asked.service} would never meet it: allowed are {', '.join(allowed)}")


def _wrong(field: str, detail: str) -> WrongField:
    return {"param": f"$.{field}", "detail": detail}


def _bytes(asked: FaultRequest) -> bytes | None:
    try:
        return base64.b64decode(asked.raw or "", validate=True)
    except (binascii.Error, ValueError):
        return None
