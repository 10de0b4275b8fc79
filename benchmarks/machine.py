"""What the figures were measured on: processors, load, and versions."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.meter import session
from domain.version import VERSION
from scenario_tests.servers import Servers
from scenario_tests.servers.rabbit import RabbitNode

PACKAGES = ("pika", "psycopg2-binary", "sqlalchemy", "orjson", "uvicorn", "fastapi")


def machine() -> dict[str, Any]:
    """Processors and how busy they are: figures of a machine that does something else as well say little."""
    load = os.getloadavg()[0]
    return {"cores": os.cpu_count(), "processor": _processor(), "load_before": round(load, 1)}


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def versions(servers: Servers | None) -> dict[str, str]:
    """Of this product and of what it runs on."""
    found = {"Shop Clerk": VERSION, "Python": platform.python_version()}
    if servers is not None:
        with session(servers.admin_url) as cursor:
            cursor.execute("SHOW server_version")
            found["PostgreSQL"] = str(cursor.fetchone()[0]).split()[0]
        if isinstance(servers.broker, RabbitNode):
            found["RabbitMQ"] = servers.broker.ctl("eval", "rabbit_misc:version().").strip().strip('"')
    return found | {name: version(name) for name in PACKAGES}
