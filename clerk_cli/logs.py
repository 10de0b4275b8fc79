"""Logging, configured in one place: every line, ours and the libraries', goes through structlog to standard error.

Warnings and errors that repeat themselves are counted (repeated_lines.py).
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from clerk_cli.repeated_lines import EVERY, Kind, RepeatedLines
from domain.visible_text import escaped

CHATTY = ("alembic", "apscheduler", "httpx", "httpcore", "uvicorn.access")
"""Libraries of which only warnings are worth reading."""
NOISY = ("apscheduler.scheduler", "apscheduler.executors", "uvicorn.error")
"""Libraries of which only errors are: under load a tick may still run when the next is due, which is then skipped; that
is harmless (semantics T6). What uvicorn warns of, http_protocol.py tells in its own words."""


def configure(*, as_json: bool, level: int, service: str) -> None:
    """Log from `level` on, as JSON or as text; `service` is in every line that does not name one itself."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        _named(service),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        escape_control_characters,
    ]
    renderer = structlog.processors.JSONRenderer() if as_json else _text()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    handler.addFilter(RepeatedLines(tell_count))
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for name in CHATTY:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    for name in NOISY:
        logging.getLogger(name).setLevel(max(level, logging.ERROR))
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def tell_count(kind: Kind, count: int) -> None:
    """Log that a line of this kind came so many times more."""
    name, level, event = kind
    structlog.get_logger(name).log(level, event, repeated=count, within_seconds=int(EVERY))


def escape_control_characters(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """A structlog processor: text from outside can neither forge a log line nor control a terminal (security S18)."""
    return {key: _escaped(value, keep="\n" if key == "exception" else "") for key, value in event.items()}


def _escaped(value: Any, keep: str = "") -> Any:
    if isinstance(value, str):
        return escaped(value, keep=keep)
    if isinstance(value, Mapping):
        return {_escaped(key): _escaped(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)) and type(value) in (list, tuple):
        return [_escaped(inner) for inner in value]
    return value


def _named(service: str) -> Processor:
    def add_service(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event.setdefault("service", service)
        return event

    return add_service


def _text() -> Processor:
    colours = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    return structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=structlog.dev.plain_traceback)
