"""The page of figures: throughput, step times, how far orders come, how they end; each drawn, each with its table."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from shop_manager.dashboard import figures_view as view
from shop_manager.dashboard.layout import Layout
from shop_manager.operations.figures import LONGEST
from shop_manager.operations.reads import Reads

SPANS = (1, 6, 24, 72, 168)


def figures_page(router: APIRouter, layout: Layout, reads: Reads) -> None:
    @router.get("/figures")
    def figures(request: Request, hours: Annotated[int, Query(ge=1, le=LONGEST)] = 24) -> Response:
        found = reads.figures(hours)
        return layout.page(
            request,
            "figures.html",
            figures=found,
            hours=hours,
            spans=SPANS,
            throughput=view.throughput(found, hours),
            ends=view.ends(found["ends"]),
            end_words=view.end_words(),
            funnel=view.funnel(found["funnel"]),
            step_times=view.step_times(found["step_times"]),
            turns=view.TURNS,
            heat=view.heat(found["stuck"]),
        )
