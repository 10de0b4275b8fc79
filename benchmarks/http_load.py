"""Load over HTTP: `wrk` with many connections where it is installed, else a client in Python, which is said."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from threading import local
from time import monotonic, process_time
from typing import Any

import httpx

from benchmarks.figures import percentile

SCRIPT = """\
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer %(key)s"
local bodies = {%(bodies)s}
local sent, answered = 0, 0
function request()
  sent = sent + 1
  return wrk.format(nil, nil, nil, bodies[(sent - 1) %% #bodies + 1])
end
function response(status)
  answered = answered + 1
  if answered == %(count)d then
    wrk.thread:stop()
    io.write("enough\\n")
    io.flush()
  end
end
function done(summary, latency, requests)
  io.write(string.format('{"answered": %%d, "refused": %%d, "failed": %%d, "p50": %%f, "p99": %%f, "seconds": %%f}\\n',
    summary.requests, summary.errors.status,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    latency:percentile(50) / 1e6, latency:percentile(99) / 1e6, summary.duration / 1e6))
end
"""
LONGEST, ENOUGH = 600, "enough\n"
PYTHON_CLIENTS = 16


@dataclass(frozen=True, slots=True)
class Load:
    """What a load generator saw. Times in seconds; `failed` were never answered, `refused` were with 4xx or 5xx.

    `cpu`: the seconds of processor time that it took itself.
    """

    client: str
    answered: int
    refused: int
    failed: int
    p50: float
    p99: float
    seconds: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Posts:
    """What to send: `count` times, these bodies in turns, with this key, over so many connections."""

    url: str
    key: str
    bodies: Sequence[Any]
    count: int
    connections: int


def post_many(posts: Posts, folder: Path) -> Load:
    """Send them as fast as they are answered, and up to a connection's worth more; RuntimeError when `wrk` fails."""
    if shutil.which("wrk") is None:
        return _python_client(posts)
    script = folder / "post.lua"
    bodies = ", ".join(f"[==[{json.dumps(body)}]==]" for body in posts.bodies)
    script.write_text(SCRIPT % {"bodies": bodies, "key": posts.key, "count": posts.count})
    script.chmod(0o600)
    limits = ["-t1", f"-c{posts.connections}", f"-d{LONGEST}s", "--timeout", "60s"]
    before = getrusage(RUSAGE_CHILDREN)
    command = ["wrk", *limits, "-s", str(script), posts.url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as wrk:  # noqa: S603
        output = ""
        for line in wrk.stdout or ():
            output += line
            if line == ENOUGH:
                _interrupt(wrk)
    if wrk.returncode:
        raise RuntimeError(f"wrk: {output.strip()}")
    after = getrusage(RUSAGE_CHILDREN)
    return read_wrk(output, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def _interrupt(wrk: subprocess.Popen[str]) -> None:
    """Its thread has stopped, and it would sleep on; one signal is lost when it has not yet fallen asleep."""
    while wrk.poll() is None:
        wrk.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            wrk.wait(0.5)


def read_wrk(output: str, cpu: float) -> Load:
    """What `wrk` printed with our script; ValueError when that is something else."""
    lines = [line for line in output.splitlines() if line.startswith("{")]
    if not lines:
        raise ValueError(f"wrk printed no figures: {output[-300:]!r}")
    return Load(client="wrk", cpu=cpu, **json.loads(lines[-1]))


_thread_local = local()


def _python_client(posts: Posts) -> Load:
    times: list[float] = []
    refused: list[int] = []

    def one(number: int) -> None:
        if not hasattr(_thread_local, "client"):
            _thread_local.client = httpx.Client(headers={"Authorization": f"Bearer {posts.key}"}, timeout=60)
        began = monotonic()
        response = _thread_local.client.post(posts.url, json=posts.bodies[number % len(posts.bodies)])
        times.append(monotonic() - began)
        if not response.is_success:
            refused.append(response.status_code)

    began, cpu = monotonic(), process_time()
    with ThreadPoolExecutor(PYTHON_CLIENTS) as pool:
        list(pool.map(one, range(posts.count)))
    took, cpu = monotonic() - began, process_time() - cpu
    return Load("python", posts.count, len(refused), 0, percentile(times, 50), percentile(times, 99), took, cpu)
